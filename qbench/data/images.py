"""Data sets that are class folders of images, in a folder or a zip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.data.arrays import dataset_from_arrays
from qbench.data.base import Dataset
from qbench.data.cache import Arrays, load_or_make
from qbench.data.decoding import SUFFIXES, decode_images, is_image
from qbench.data.trees import FileTree, identity, open_tree
from qbench.errors import UserError
from qbench.progress import SILENT, Progress

_TRAIN_ZIP, _TEST_ZIP = "-train.zip", "-test.zip"

# By class, the names of its image files.
_Classes = dict[str, list[str]]


def load_images(path: Path, progress: Progress = SILENT) -> Dataset:
    """A data set of PNG, JPEG or BMP images, `class/image` in a folder or a zip; classes sorted by name.

    With `train/class/image` and `test/class/image` it has both splits. `X-train.zip` and `X-test.zip` beside
    each other are one data set X, whichever is given. All else is a test split.

    Decoded pixels are cached; the key holds Pillow's version, as JPEG decoders may differ by a level.

    Raises:
        UserError: no images, images outside class folders, of different shapes, or damaged.
    """
    pair = _pair(path)
    if pair is None:
        return dataset_from_arrays(path.resolve().name.removesuffix(".zip"), _load(path, progress))
    train, test = (_load(part, progress) for part in pair)
    name = pair[0].name.removesuffix(_TRAIN_ZIP)
    for part, arrays in zip(pair, (train, test), strict=True):
        if "x" not in arrays:
            raise UserError(f"{part} holds train and test folders, and so does its name")
    _require_equal_classes(name, train["classes"], test["classes"])
    return dataset_from_arrays(
        name,
        {
            "x_train": train["x"],
            "y_train": train["y"],
            "x_test": test["x"],
            "y_test": test["y"],
            "classes": test["classes"],
        },
    )


def _pair(path: Path) -> tuple[Path, Path] | None:
    """The train and the test zip that a path is one of, if both are there."""
    for ending in (_TRAIN_ZIP, _TEST_ZIP):
        if path.name.endswith(ending):
            stem = path.name.removesuffix(ending)
            pair = path.with_name(stem + _TRAIN_ZIP), path.with_name(stem + _TEST_ZIP)
            return pair if all(part.is_file() for part in pair) else None
    return None


def _load(path: Path, progress: Progress) -> Arrays:
    """The arrays of one folder or zip, from the cache if it has them."""
    import PIL

    def make() -> Arrays:
        with open_tree(path) as tree:
            return _decode_tree(tree, progress)

    return load_or_make(f"images-pillow{PIL.__version__}-{identity(path)}", make, progress)


def _decode_tree(tree: FileTree, progress: Progress) -> Arrays:
    splits = _layout(tree)
    classes = sorted(next(iter(splits.values())))
    arrays: dict[str, NDArray[Any]] = {"classes": np.array(classes)}
    for split, files in splits.items():
        _require_equal_classes(str(tree.path), classes, files)
        names = [name for label in classes for name in files[label]]
        labels = [index for index, label in enumerate(classes) for _ in files[label]]
        suffix = f"_{split}" if split else ""
        arrays[f"x{suffix}"] = decode_images(tree, names, progress)
        arrays[f"y{suffix}"] = np.array(labels, np.int64)
    return arrays


def _layout(tree: FileTree) -> dict[str, _Classes]:
    """By split, the images of each class; the only split of a tree without train and test is called ""."""
    paths = [path for path in map(PurePosixPath, tree.names) if is_image(path.name) and not _is_hidden(path)]
    if not paths:
        raise UserError(
            f"{tree.path} holds no images",
            hint=f"put {', '.join(SUFFIXES)} files into one folder a class",
        )
    common = 0
    while len({path.parts[common] for path in paths}) == 1 and all(len(p.parts) - common > 2 for p in paths):
        common += 1
    splits: dict[str, _Classes] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        match path.parts[common:-1]:
            case (label,):
                splits[""][label].append(str(path))
            case ("train" | "test" as split, label):
                splits[split][label].append(str(path))
            case _:
                raise _misplaced_error(tree, str(path))
    if len(splits) > 1 and "" in splits:
        raise _misplaced_error(tree, next(iter(splits[""].values()))[0])
    return splits


def _is_hidden(path: PurePosixPath) -> bool:
    """Whether a file is one that macOS leaves in folders and zips."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _misplaced_error(tree: FileTree, name: str) -> UserError:
    return UserError(
        f"{name} in {tree.path} is not in a class folder",
        cause="images are expected as class/image, or as train/class/image and test/class/image",
        hint="sort the images into one folder a class",
    )


def _require_equal_classes(where: str, first: Iterable[str], second: Iterable[str]) -> None:
    if odd := sorted(set(first) ^ set(second)):
        raise UserError(
            f"the train and the test split of {where} differ in classes: only one has {', '.join(odd)}",
            hint="give both splits the same class folders",
        )
