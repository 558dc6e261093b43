"""The labels that a targeted attack is to reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import RecordFile
from qbench.attacking.drawing import Drawn
from qbench.data import Dataset
from qbench.errors import UserError, unknown_name

LEAST_LIKELY = "least-likely"

# Inputs that are scored together in the search for an example: few, since one in ten or so is one.
_CHUNK = 32


def parse_target(target: str | int, classes: Sequence[str]) -> str:
    """A class's number as text, or `least-likely`; from that, its number, or its name, which goes first.

    Raises:
        UserError: there is no such class.
    """
    told = str(target)
    if told == LEAST_LIKELY:
        return told
    if target in classes:
        return str(list(classes).index(told))
    if told.isdecimal() and int(told) < len(classes):
        return str(int(told))
    raise unknown_name("class", told, (*classes, LEAST_LIKELY))


def display_name(attack: str, target: str | None, classes: Sequence[str]) -> str:
    """An attack's name, with the target: to reach one class is another threat than to reach any."""
    if target is None:
        return attack
    return f"{attack} towards {target if target == LEAST_LIKELY else classes[int(target)]}"


def add_targets(
    drawn: Drawn,
    target: str,
    folder: Path,
    dataset: Dataset,
    score: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None,
    seed: int,
) -> Drawn:
    """The drawn inputs with the labels to reach, which are written to `targets.npy`, [n] int64.

    Args:
        drawn: the inputs.
        target: as of `parse_target`; the least likely class is what the network says of the clean input
            (Kurakin, Goodfellow and Bengio, "Adversarial Examples in the Physical World", section 2.3).
        folder: to write to.
        dataset: where examples are looked for.
        score: of the network under attack, to get an example of each label too: the first input of the test
            split, in seeded order, that it gives the label.
        seed: of that order.

    Raises:
        UserError: there is no example of a label.
    """
    labels: NDArray[np.int64] = drawn.logits.argmin(axis=1)
    if target != LEAST_LIKELY:
        labels = np.full_like(labels, int(target))
    file = RecordFile(folder / "targets.npy", labels.shape, "int64")
    file.keep(0)
    file.append(labels)
    examples = {} if score is None else _examples(labels, dataset, score, seed)
    return replace(drawn, targets=labels, examples=examples)


def add_examples(
    drawn: Drawn,
    dataset: Dataset,
    score: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    seed: int,
) -> Drawn:
    """The drawn inputs with an example of every label among them, for a search that starts from another's.

    Where the network gives all of them one label, the test split is searched in seeded order for another.
    """
    labels = drawn.logits.argmax(axis=1)
    found = {int(label): drawn.victims.x[np.argmax(labels == label)] for label in np.unique(labels)}
    if len(found) < 2:
        found |= next(
            ({label: x} for label, x in _label_inputs(dataset, score, seed) if label not in found), {}
        )
    return replace(drawn, examples=found)


def _examples(
    labels: NDArray[np.int64],
    dataset: Dataset,
    score: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    seed: int,
) -> dict[int, NDArray[np.float32]]:
    missing, found = set(labels.tolist()), {}
    for label, x in _label_inputs(dataset, score, seed):
        if label in missing:
            found[label] = x
            missing.remove(label)
        if not missing:
            break
    if missing:
        raise UserError(
            f"the network gives no test input the label {', '.join(map(str, sorted(missing)))}, "
            "so that there is nothing to walk from",
            hint="choose another target, or an attack that needs no example, such as square",
        )
    return found


def _label_inputs(
    dataset: Dataset, score: Callable[[NDArray[np.float32]], NDArray[np.float32]], seed: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Test inputs in seeded order, each with the label that the network gives it."""
    order = np.random.default_rng(seed).permutation(len(dataset.test))
    for start in range(0, len(order), _CHUNK):
        x = dataset.inputs(dataset.test.x[order[start : start + _CHUNK]])
        yield from zip(score(x).argmax(axis=1).tolist(), x, strict=True)
