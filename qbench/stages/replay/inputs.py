"""The inputs of a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import AdvsetContent, Artifact
from qbench.replaying.scores import Labels
from qbench.tasks import task_of


@dataclass(frozen=True)
class Inputs:
    """The arrays of an advset.

    Attributes:
        clean: [n, *shape] float32 in the domain.
        truth: [n], the true labels.
        targets: [n], the labels to reach; None without targets.
        adversarial: one a budget, alike.
        surrogate: the labels that the attacked network gives.
        values: [n, elements] float32, the true values of a regression; None of other tasks.
    """

    clean: NDArray[np.float32]
    truth: NDArray[np.int64]
    targets: NDArray[np.int64] | None
    eps: tuple[float, ...]
    adversarial: tuple[NDArray[np.float32], ...]
    surrogate: Labels
    advset: AdvsetContent
    values: NDArray[np.float32] | None

    @classmethod
    def read(cls, advset: Artifact[AdvsetContent]) -> Inputs:
        """Open the files of an advset, memory-mapped."""

        def array(name: str) -> NDArray[Any]:
            found: NDArray[Any] = np.load(advset.path / name, mmap_mode="r")
            return found

        results = advset.content.results
        values = np.asarray(array("values.npy")) if advset.content.task.kind == "regression" else None

        def labels(name: str) -> NDArray[np.int64]:
            found: NDArray[np.int64] = (
                task_of(advset.content.task).rows(np.asarray(array(name)), values).argmax(axis=1)
            )
            return found

        return cls(
            clean=array("inputs.npy"),
            truth=np.asarray(array("labels.npy")),
            targets=None if advset.content.target is None else np.asarray(array("targets.npy")),
            eps=tuple(each.eps for each in results),
            adversarial=tuple(array(each.file) for each in results),
            surrogate=Labels(
                labels("logits-clean.npy"), tuple(labels(f"logits-{each.file}") for each in results)
            ),
            advset=advset.content,
            values=values,
        )
