"""The inputs that an attack starts from, drawn and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Domain, RecordFile, TaskInfo
from qbench.attacks import Victims
from qbench.data import Dataset
from qbench.errors import UserError
from qbench.progress import Progress
from qbench.tasks import Task

# Inputs that are scored or written together.
_CHUNK = 256


@dataclass(frozen=True)
class Drawn:
    """The inputs that an attack starts from.

    Attributes:
        victims: on the disk, with their true labels.
        logits: [n, classes], what the attacked network says of them.
        targets: [n] int64, the labels to reach; None if any but the true one will do.
        values: [n, elements] float32, the true values of a regression; None of other tasks.
        domain: of the inputs.
        task: what makes rows of the logits whose highest element is the label.
        examples: by label an input that the network gives it, where the attack needs one.
    """

    victims: Victims
    logits: NDArray[np.float32]
    targets: NDArray[np.int64] | None = None
    examples: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)
    values: NDArray[np.float32] | None = None
    domain: Domain | None = None
    task: Task = field(default_factory=lambda: Task(TaskInfo()))

    def labels(self, logits: NDArray[np.float32]) -> NDArray[np.int64]:
        """The labels [n] that logits [n, elements] of these inputs stand for."""
        return np.asarray(self.task.rows(logits, self.values).argmax(axis=1))

    @property
    def attacked(self) -> Victims:
        """The same as an attack gets them: with the labels to reach in place of the true ones.

        Of a regression, with their positions among the true values.
        """
        y = self.victims.y if self.targets is None else self.targets
        if self.values is not None:
            y = np.arange(len(self.victims))
        return replace(self.victims, y=y, examples=self.examples)


def draw(
    dataset: Dataset,
    score: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    count: int,
    folder: Path,
    *,
    only_correct: bool,
    seed: int,
    progress: Progress,
) -> Drawn:
    """Draw seeded inputs of the test split without replacement into a folder.

    It then holds `inputs.npy` [n, *shape] float32, `labels.npy` and `indices.npy` [n] int64, and
    `logits-clean.npy` [n, classes] float32; what is there already is taken as it is.

    Args:
        dataset: with the test split.
        score: logits [n, classes] of inputs [n, *shape].
        count: how many inputs.
        folder: to write to.
        only_correct: draw only what is classified right.
        seed: of the draw.
        progress: hears if there are fewer than `count`.

    Raises:
        UserError: nothing is classified right.
    """
    drawn = _found(folder)
    if drawn:
        return drawn
    indices, logits = _choose(dataset, score, count, only_correct, seed)
    if not len(indices):
        raise UserError(
            "the network classifies no input right", hint="check its --input-range and the labels"
        )
    if len(indices) < count:
        progress.note(f"there are {len(indices):,} such inputs, not {count:,}: all are taken")
    shape = dataset.test.x.shape[1:]
    inputs = RecordFile(folder / "inputs.npy", (len(indices), *shape), "float32")
    inputs.keep(0)
    for start in range(0, len(indices), _CHUNK):
        inputs.append(dataset.inputs(dataset.test.x[indices[start : start + _CHUNK]]))
    _keep(folder / "labels.npy", dataset.test.y[indices])
    _keep(folder / "indices.npy", indices)
    _keep(folder / "logits-clean.npy", logits)
    return Drawn(Victims(inputs.read(), dataset.test.y[indices], indices), logits)


def with_task(drawn: Drawn, task: Task, dataset: Dataset, folder: Path) -> Drawn:
    """The drawn inputs with what their labels follow from: a regression's values go to `values.npy`."""
    values = dataset.test.values
    if task.info.kind != "regression" or values is None:
        return replace(drawn, task=task, domain=dataset.domain)
    _keep(folder / "values.npy", values[drawn.victims.indices])
    return replace(drawn, task=task, domain=dataset.domain, values=values[drawn.victims.indices])


def _found(folder: Path) -> Drawn | None:
    """What an interrupted run has drawn; the logits are written last."""
    try:
        inputs = np.load(folder / "inputs.npy", mmap_mode="r")
        labels, indices, logits = (
            np.load(folder / f"{name}.npy") for name in ("labels", "indices", "logits-clean")
        )
    except (OSError, ValueError):
        return None
    return Drawn(Victims(inputs, labels, indices), logits)


def _choose(
    dataset: Dataset,
    score: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    count: int,
    only_correct: bool,
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Indices of the drawn inputs, and their logits."""
    order = np.random.default_rng(seed).permutation(len(dataset.test))
    wanted = order if only_correct else order[:count]
    kept: list[NDArray[np.int64]] = []
    logits: list[NDArray[np.float32]] = []
    for start in range(0, len(wanted), _CHUNK):
        rows = wanted[start : start + _CHUNK]
        scores = score(dataset.inputs(dataset.test.x[rows]))
        chosen = scores.argmax(axis=1) == dataset.test.y[rows] if only_correct else np.ones(len(rows), bool)
        kept.append(rows[chosen])
        logits.append(scores[chosen])
        if sum(map(len, kept)) >= count:
            break
    return np.concatenate(kept)[:count], np.concatenate(logits)[:count]


def _keep(path: Path, array: NDArray[np.generic]) -> None:
    file = RecordFile(path, array.shape, str(array.dtype))
    file.keep(0)
    file.append(array)
