"""What a network makes of an element of the data: stated, known, or found by trying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Preprocessing, TensorSpec
from qbench.data import Dataset, Split
from qbench.progress import Progress

# From inputs [n, *shape] float32 in a network's own unit to scores [n, classes].
Scores = Callable[[NDArray[np.float32]], NDArray[Any]]

# What networks commonly expect of a pixel, tried in this order where nothing tells.
_IMAGE_RANGES = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0))
_TRIAL = 256


def drawn(dataset: Dataset, count: int, seed: int) -> tuple[Split, NDArray[np.int64]]:
    """The train split, or the test split where there is none, and up to `count` of its rows, seeded."""
    split = dataset.train or dataset.test
    return split, np.random.default_rng(seed).permutation(len(split))[:count]


def stated_preprocessing(input_range: tuple[float, float], dataset: Dataset) -> Preprocessing:
    """The affine map of the data's domain onto a range."""
    low, high = input_range
    scale = (high - low) / (dataset.domain.high - dataset.domain.low)
    return Preprocessing(scale=scale, offset=low - dataset.domain.low * scale)


def known_preprocessing(dataset: Dataset, vendor: TensorSpec | None, progress: Progress) -> Preprocessing:
    """What features stand for, by the data or by the input of a vendor's file; else they stay as they are."""
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
    return Preprocessing()


def tried_preprocessing(scores: Scores, dataset: Dataset, seed: int, progress: Progress) -> Preprocessing:
    """The conventional range of pixels that gives the highest accuracy on labelled samples.

    Args:
        scores: of inputs in the network's own unit.
        dataset: of images.
        seed: of the draw of samples.
        progress: hears of the choice.
    """
    split, rows = drawn(dataset, _TRIAL, seed)
    x, y = dataset.inputs(split.x[rows]), split.y[rows]
    candidates = [Preprocessing(scale=high - low, offset=low) for low, high in _IMAGE_RANGES]
    right = [float(np.mean(scores(each.apply(x)).argmax(axis=1) == y)) for each in candidates]
    best = int(np.argmax(right))
    low, high = _IMAGE_RANGES[best]
    progress.note(
        f"the network seems to expect pixels in {low:g}..{high:g} (accuracy {right[best]:.1%} on "
        f"{len(rows)} inputs); --input-range says it outright"
    )
    return candidates[best]
