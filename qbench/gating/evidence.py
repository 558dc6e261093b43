"""What the rules of the gate judge: a replay's figures, and its answers input by input if it keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Artifact, ReplayContent, RuntimeScores
from qbench.artifacts.figures import Estimate
from qbench.errors import UserError
from qbench.statistics import difference, paired_difference

# What quantized networks are held against; it never ships, so no rule judges it.
FLOAT = "float"


class ReplayView:
    """A replay as the gate sees it.

    Args:
        replay: the folder.
    """

    def __init__(self, replay: Artifact[ReplayContent]) -> None:
        self.path, self.content = replay.path, replay.content
        self._scores = {each.runtime.name: each for each in self.content.scores}

    @property
    def gated(self) -> list[RuntimeScores]:
        """The runtimes that could ship.

        Raises:
            UserError: there is none.
        """
        found = [each for name, each in self._scores.items() if name != FLOAT]
        if not found:
            raise UserError(
                f"{self.path} has no integer runtime to judge, only {FLOAT}",
                hint="replay the advset on the runtime that ships",
            )
        return found

    def scores(self, runtime: str, why: str) -> RuntimeScores:
        """The scores of a runtime.

        Args:
            runtime: its name.
            why: what it is needed for, for the error.

        Raises:
            UserError: the replay does not have it.
        """
        if runtime not in self._scores:
            raise UserError(
                f"{self.path} has no runtime {runtime!r}, {why}",
                cause=f"it has {', '.join(self._scores)}",
                hint=f"replay with --runtime {runtime} too" if ":" not in runtime else None,
            )
        return self._scores[runtime]

    def accuracy_lost(self, runtime: str, since: ReplayView, before: str) -> tuple[Estimate, bool]:
        """Clean accuracy of `before` in another replay less that of `runtime` here, and whether it is paired.

        Paired, the interval is narrower: it takes the same inputs, which both replays have on record.
        """
        mine, theirs = self._right(runtime), since._right(before)
        if mine is not None and theirs is not None and np.array_equal(self._inputs(), since._inputs()):
            return paired_difference(theirs, mine), True
        now, then = self._scores[runtime].clean_accuracy, since._scores[before].clean_accuracy
        return difference(then, now), False

    def _right(self, runtime: str) -> NDArray[np.bool_] | None:
        """Which clean inputs a runtime labels right, [n]; None in replays made before labels were kept."""
        if not (self.path / "labels.npy").is_file():
            return None
        scores = self._array(self.content.scores_file(runtime, "clean"))
        right: NDArray[np.bool_] = scores.argmax(axis=1) == self._array("labels.npy")
        return right

    def _inputs(self) -> NDArray[Any]:
        """Where in the data set the inputs are, [n]."""
        return self._array("indices.npy")

    def _array(self, name: str) -> NDArray[Any]:
        found: NDArray[Any] = np.load(self.path / name, mmap_mode="r")
        return found
