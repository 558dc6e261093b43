"""What a replay says of a device beyond its scores: does it compute what it should, and at what cost?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import CountSummary, DeviceResults, Difference
from qbench.boards import BOARDS
from qbench.replaying.scores import Outputs
from qbench.runtimes.device import DeviceRuntime
from qbench.statistics import proportion

_SHOWN = 5


def device_results(
    runtime: DeviceRuntime,
    outputs: Outputs,
    counts: NDArray[np.uint64],
    reference: Outputs,
    eps: Sequence[float],
) -> DeviceResults:
    """All figures of one device.

    Args:
        runtime: the device.
        outputs: its answers.
        counts: [inferences], in its counter's unit; empty if it does not count.
        reference: the answers of `REFERENCE`.
        eps: budgets, one for each of `outputs.by_eps`.
    """
    device = runtime.device
    board = BOARDS.get(device.board)
    budgets: tuple[float | None, ...] = (None, *eps)
    ours_by, theirs_by = (outputs.clean, *outputs.by_eps), (reference.clean, *reference.by_eps)
    passes = list(zip(budgets, ours_by, theirs_by, strict=True))
    equal = np.concatenate([(ours == theirs).all(axis=1) for _, ours, theirs in passes])
    differences = (
        Difference(
            eps=budget,
            input=int(row),
            element=int(element),
            device=ours[row, element].item(),
            reference=theirs[row, element].item(),
        )
        for budget, ours, theirs in passes
        for row, element in np.argwhere(ours != theirs)
    )
    return DeviceResults(
        runtime=runtime.name,
        board=device.board,
        core=device.core,
        counter=device.counter,
        clock_hz=device.clock_hz,
        counts=_summary(counts),
        arena_used=device.arena_used,
        arena_available=device.arena_available,
        model_bytes=device.model_bytes,
        model_sha256=device.model_sha256,
        flash_bytes=board.flash_bytes if board else None,
        ram_bytes=board.ram_bytes if board else None,
        link=runtime.link,
        equal=proportion(equal),
        differences=tuple(islice(differences, _SHOWN)),
    )


def _summary(counts: NDArray[np.uint64]) -> CountSummary | None:
    """Least, lower median and most; None without any."""
    if not counts.size:
        return None
    ordered = np.sort(counts)
    return CountSummary(
        min=int(ordered[0]), median=int(ordered[(len(ordered) - 1) // 2]), max=int(ordered[-1])
    )
