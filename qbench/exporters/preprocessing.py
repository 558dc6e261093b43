"""What a network makes of an element of the data: stated, known, or found by trying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Preprocessing, TaskInfo, TensorSpec
from qbench.data import Dataset, Split
from qbench.errors import UserError
from qbench.progress import Progress
from qbench.statistics import compare_paired, proportion
from qbench.surrogate.scoring import check_finite

# From inputs [n, *shape] float32 in a network's own unit to scores [n, classes].
Scores = Callable[[NDArray[np.float32]], NDArray[Any]]

# What networks commonly expect of a pixel, tried in this order where nothing tells.
_IMAGE_RANGES = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0))
_TRIAL = 256
# Of McNemar's exact test: above it, one range may be as good as another.
_DOUBT = 0.05


def drawn(dataset: Dataset, count: int, seed: int) -> tuple[Split, NDArray[np.int64]]:
    """The train split, or the test split where there is none, and up to `count` of its rows, seeded."""
    split = dataset.train or dataset.test
    return split, np.random.default_rng(seed).permutation(len(split))[:count]


def stated_preprocessing(input_range: tuple[float, float], dataset: Dataset) -> Preprocessing:
    """The affine map of the data's domain onto a range."""
    low, high = input_range
    scale = (high - low) / (dataset.domain.high - dataset.domain.low)
    return Preprocessing(scale=scale, offset=low - dataset.domain.low * scale)


def known_preprocessing(
    dataset: Dataset, vendor: TensorSpec | None, progress: Progress, front_end: str | None = None
) -> Preprocessing:
    """What features stand for, by the data or by the input of a vendor's file; else they stay as they are.

    Those of a front end are what the network takes.
    """
    if dataset.preprocessing is not None:
        return dataset.preprocessing
    if dataset.domain.name == "int8-features":
        if vendor is not None and vendor.quantization is not None:
            scale, zero_point = vendor.quantization.scale, vendor.quantization.zero_point
            return Preprocessing(scale=scale, offset=-scale * zero_point)
        progress.note(
            f"{dataset.name} does not say what its int8 codes stand for: the network gets them as they are; "
            "give scale and zero_point in the .npz, or --adopt the file that they were made for"
        )
    return Preprocessing(front_end=front_end)


def check_tried(task: TaskInfo) -> None:
    """Refuse to try ranges of a pixel for a network that classifies nothing.

    Raises:
        UserError: it is no classifier.
    """
    if task.kind != "classification":
        raise UserError(
            "what the network expects of a pixel cannot be told by trying",
            cause=f"ranges are compared by accuracy, which a network for {task.kind} does not have by itself",
            hint="say it with --input-range LOW,HIGH",
        )


def tried_preprocessing(
    scores: Scores, dataset: Dataset, seed: int, progress: Progress, entry: TensorSpec | None = None
) -> Preprocessing:
    """The conventional range of pixels that gives the highest accuracy on labelled samples.

    Args:
        scores: of inputs in the network's own unit.
        dataset: of images.
        seed: of the draw of samples.
        progress: hears of the choice.
        entry: the input of an integer file; ranges that its quantizer cannot hold are out.

    Raises:
        UserError: no range is clearly the best, or the best is no better than guessing.
    """
    split, rows = drawn(dataset, _TRIAL, seed)
    x, y = dataset.inputs(split.x[rows]), split.y[rows]
    ranges = [each for each in _IMAGE_RANGES if entry is None or _holds(entry, each)]
    if not ranges:
        raise _undecided_error("the file's input quantizer holds none of the usual ranges of a pixel", {})
    candidates = {each: Preprocessing(scale=each[1] - each[0], offset=each[0]) for each in ranges}
    found = {each: scores(preprocessing.apply(x)) for each, preprocessing in candidates.items()}
    if not any(np.isfinite(each).all() for each in found.values()):
        check_finite(found[ranges[0]], "float")
    right = {each: given.argmax(axis=1) == y for each, given in found.items()}
    best, *others = sorted(ranges, key=lambda each: -right[each].sum())
    figures = {f"{low:g},{high:g}": float(right[low, high].mean()) for low, high in ranges}
    guessing = np.bincount(y).max() / len(y)
    share = proportion(right[best])
    if share.low is None or share.low <= guessing:
        raise _undecided_error(f"none is better than guessing ({guessing:.1%})", figures)
    if others and compare_paired("best", "second", right[best], right[others[0]]).p_value >= _DOUBT:
        raise _undecided_error("two ranges of a pixel serve the network about equally", figures)
    progress.note(
        f"the network seems to expect pixels in {best[0]:g}..{best[1]:g} (accuracy "
        f"{figures[f'{best[0]:g},{best[1]:g}']:.1%} on {len(rows)} inputs); --input-range says it outright"
    )
    return candidates[best]


def _holds(entry: TensorSpec, wanted: tuple[float, float]) -> bool:
    """Whether the codes of an input reach both ends of a range, to within a code."""
    grid = entry.quantization
    if grid is None:
        return True
    info = np.iinfo(grid.dtype)
    low, high = (grid.scale * (code - grid.zero_point) for code in (info.min, info.max))
    return bool(low <= wanted[0] + grid.scale and high >= wanted[1] - grid.scale)


def _undecided_error(why: str, figures: dict[str, float]) -> UserError:
    """The error that asks for the range."""
    tried = "; ".join(f"{each}: {share:.1%}" for each, share in figures.items())
    return UserError(
        "what the network expects of a pixel cannot be told by trying",
        cause=f"{why}{f' (accuracy {tried})' if tried else ''}",
        hint="say it with --input-range LOW,HIGH",
    )
