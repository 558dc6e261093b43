"""Data sets that are class folders of `.wav` files, in a folder or a zip, as Speech Commands has them."""

from __future__ import annotations

import io
import wave
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.data.arrays import dataset_from_arrays
from qbench.data.base import Dataset
from qbench.data.cache import Arrays, load_or_make
from qbench.data.trees import FileTree, identity, open_tree
from qbench.errors import UserError
from qbench.progress import SILENT, Progress

# Samples a second that every front end takes.
RATE = 16_000
# Seconds of a file, beyond which it is a recording and no example of a class.
_LONGEST = 10
_TEST_LIST = "testing_list.txt"
_VALIDATION_LIST = "validation_list.txt"
_LISTS = (_TEST_LIST, _VALIDATION_LIST)


def is_waves(path: Path) -> bool:
    """Whether a folder or zip holds `.wav` files in class folders."""
    with open_tree(path) as tree:
        return any(_label(name) for name in tree.names)


def load_waves(path: Path, progress: Progress = SILENT) -> Dataset:
    """A data set of `class/name.wav` in a folder or zip; classes sorted by name, 16-bit samples at 16 kHz.

    With `train/class/` and `test/class/` it has both splits. So it has with `testing_list.txt`, as in Speech
    Commands: those files are the test split, those of `validation_list.txt` are left out, the others are for
    training. Folders whose name begins with `_` or `.` hold no class. Of several channels the first counts.
    Shorter files are filled up with silence to the length of the longest.

    Raises:
        UserError: a file is damaged, of another rate or width, or longer than 10 s.
    """

    def make() -> Arrays:
        with open_tree(path) as tree:
            return _read(tree, progress)

    arrays = load_or_make(f"waves-{identity(path)}", make, progress)
    return dataset_from_arrays(path.resolve().name.removesuffix(".zip"), arrays)


def _read(tree: FileTree, progress: Progress) -> dict[str, NDArray[Any]]:
    splits = _splits(tree)
    classes = sorted({label for files in splits.values() for label, _ in files})
    arrays: dict[str, NDArray[Any]] = {"classes": np.array(classes)}
    with progress.task("reading sounds", sum(map(len, splits.values()))) as advance:
        for split, files in splits.items():
            sounds = []
            for _, name in files:
                sounds.append(_samples(tree, name))
                advance(1)
            suffix = f"_{split}" if split else ""
            arrays[f"x{suffix}"] = _stacked(sounds)
            arrays[f"y{suffix}"] = np.array([classes.index(label) for label, _ in files], np.int64)
    longest = max(x.shape[1] for name, x in arrays.items() if name.startswith("x"))
    for name in [each for each in arrays if each.startswith("x")]:
        arrays[name] = np.pad(arrays[name], ((0, 0), (0, longest - arrays[name].shape[1])))
    return arrays


def _splits(tree: FileTree) -> dict[str, list[tuple[str, str]]]:
    """By split, the label and the name of each file; the only split of a tree without two is called ""."""
    lists = {name: set(tree.read(name).decode().split()) for name in tree.names if name in _LISTS}
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in tree.names:
        label = _label(name)
        if not label or name in lists.get(_VALIDATION_LIST, ()):
            continue
        first = PurePosixPath(name).parts[0]
        split = first if first in ("train", "test") and len(PurePosixPath(name).parts) > 2 else ""
        if _TEST_LIST in lists:
            split = "test" if name in lists[_TEST_LIST] else "train"
        found[split].append((label, name))
    if len(found) > 1 and "" in found:
        raise UserError(
            f"{found[''][0][1]} in {tree.path} is in no split",
            cause="other files are in train/ and test/",
            hint="put every file into train/class/ or test/class/, or all of them into class/",
        )
    return {split: files for split, files in found.items() if files}


def _label(name: str) -> str | None:
    """The class of a file; None of one that is no sound of a class."""
    path = PurePosixPath(name)
    label = path.parts[-2] if len(path.parts) > 1 else ""
    return label if path.suffix.lower() == ".wav" and label and label[0] not in "._" else None


def _samples(tree: FileTree, name: str) -> NDArray[np.int16]:
    """The first channel [samples] of a file."""
    try:
        with wave.open(io.BytesIO(tree.read(name))) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError) as error:
        raise UserError(
            f"{name} in {tree.path} cannot be read as .wav", cause=str(error), hint="check that it is whole"
        ) from error
    if width != 2 or rate != RATE:
        raise UserError(
            f"{name} in {tree.path} has samples of {8 * width} bits at {rate:,} a second",
            cause=f"front ends take 16 bits at {RATE:,} a second",
            hint="convert it, for example with sox FILE -b 16 -r 16000 NEW",
        )
    found = np.frombuffer(content[: len(content) // (2 * channels) * 2 * channels], "<i2")
    sound = found.reshape(-1, channels)[:, 0].astype(np.int16)
    if not 0 < len(sound) <= _LONGEST * RATE:
        raise UserError(
            f"{name} in {tree.path} lasts {len(sound) / RATE:g} s",
            cause=f"an example of a class lasts up to {_LONGEST} s",
            hint="cut recordings into examples",
        )
    return sound


def _stacked(sounds: list[NDArray[np.int16]]) -> NDArray[np.int16]:
    """Sounds as rows [n, samples], filled up with silence."""
    longest = max(map(len, sounds))
    return np.stack([np.pad(each, (0, longest - len(each))) for each in sounds])
