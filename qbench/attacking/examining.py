"""The checks of an attack's results, as they lie on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qbench.artifacts import EpsResult, Finding
from qbench.attacking.drawing import Drawn
from qbench.attacks import Attack
from qbench.attacks.checks import after, before
from qbench.inputs import InputGrid
from qbench.progress import Progress


def examine(
    folder: Path,
    method: Attack,
    results: Sequence[EpsResult],
    drawn: Drawn,
    grid: InputGrid | None,
    progress: Progress,
) -> tuple[Finding, ...]:
    """All findings of `qbench.attacks.checks` on a finished attack; each is also told as a note.

    Args:
        folder: of the results.
        method: the attack that made them.
        results: one a budget.
        drawn: the clean inputs.
        grid: of the integer network's input, which tells what rounding erases; None if there is none.
        progress: hears of every budget and finding.
    """
    with progress.task("checking", 1 + len(results)) as advance:
        found = before(method, drawn.victims)
        advance(1)
        for result in results:
            x_adv = np.load(folder / result.file, mmap_mode="r")
            logits = np.load(folder / f"logits-{result.file}")
            found += after(method, drawn.attacked, result.eps, x_adv, logits, grid.codes if grid else None)
            advance(1)
    for each in found:
        progress.note(
            f"{each.check}: {each.count} of {each.total} inputs; {each.explanation} ({each.anchor})"
        )
    return tuple(found)
