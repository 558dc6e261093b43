"""The checks of an attack's results, as they lie on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import BundleContent, EpsResult, Finding
from qbench.attacking.drawing import Drawn
from qbench.attacks import Attack
from qbench.attacks.checks import after, before
from qbench.progress import Progress


def examine(
    folder: Path,
    method: Attack,
    results: Sequence[EpsResult],
    drawn: Drawn,
    bundle: BundleContent,
    progress: Progress,
) -> tuple[Finding, ...]:
    """All findings of `qbench.attacks.checks` on a finished attack; each is also told as a note.

    Args:
        folder: of the results.
        method: the attack that made them.
        results: one a budget.
        drawn: the clean inputs.
        bundle: whose integer network's grid tells what rounding erases.
        progress: hears of every budget and finding.
    """
    integer = bundle.artifacts.get("int8.tflite")
    grid = integer.input.quantization if integer else None

    def codes(x: NDArray[np.float32]) -> NDArray[Any]:
        if grid is None:
            raise ValueError("there is no grid")
        return grid.quantize(bundle.preprocessing.apply(x))

    with progress.task("checking", 1 + len(results)) as advance:
        found = before(method, drawn.victims)
        advance(1)
        for result in results:
            x_adv = np.load(folder / result.file, mmap_mode="r")
            logits = np.load(folder / f"logits-{result.file}")
            found += after(method, drawn.attacked, result.eps, x_adv, logits, codes if grid else None)
            advance(1)
    for each in found:
        progress.note(
            f"{each.check}: {each.count} of {each.total} inputs; {each.explanation} ({each.anchor})"
        )
    return tuple(found)
