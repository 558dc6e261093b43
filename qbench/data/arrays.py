"""The array convention of a data set, shared by `.npz` files, decoded images and downloads.

Either `x` and `y` (a test split), or `x_train`, `y_train`, `x_test` and `y_test`. Optionally `classes`, the
names by label, and for int8 codes `scale` and `zero_point`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Domain, Preprocessing
from qbench.data.base import IMAGE, INT8_FEATURES, WAVEFORM, Dataset, Split, check_values, features
from qbench.data.cache import Arrays
from qbench.errors import UserError
from qbench.tasks.regression import CLASSES as REGRESSION_CLASSES
from qbench.text import plain

# Far above any classifier; keeps garbage labels from asking for gigabytes of class names.
_MOST_CLASSES = 65_536

# 8-bit pixels divided by 255 in float32 come back within 2e-5 of a whole level.
_PIXEL_TOLERANCE = 1e-3


def dataset_from_arrays(name: str, arrays: Arrays) -> Dataset:
    """A data set from arrays; the dtype of x tells the domain.

    | x | domain |
    |---|---|
    | uint8 [n, h, w] or [n, h, w, c] | image: pixels, [0, 1] after division by 255 |
    | float [n, h, w, c], every value a multiple of 1/255 in [0, 1] | image, stored as uint8 pixels |
    | float [n, h, w, c] otherwise in [0, 1] | features, bounded by 0 and 1 |
    | float, else | features, bounded by the data's own least and greatest value |
    | int8 | int8 features: already quantized codes |
    | int16 [n, samples] | waveform: samples at 16 kHz, [-1, 1) after division by 32768 |

    A float y, [n] or [n, elements], holds the true values of a regression; an integer y, labels.

    For int8, `scale` and `zero_point` say what a network that takes real values is to be fed:
    scale * (code - zero_point).

    Raises:
        UserError: arrays are missing, of a wrong dtype or shape, do not fit each other, hold NaN, or labels
            are out of range.
    """
    splits = _splits(name, arrays)
    if len({None if each.values is None else each.values.shape[1] for each in splits}) > 1:
        raise UserError(
            f"the splits of {name} differ in what y holds",
            cause="one has labels and the other the values of a regression, or another number of values",
            hint="write y_train and y_test alike",
        )
    domain, inputs = _as_stored(name, [split.x for split in splits])
    *train, test = (replace(split, x=x) for x, split in zip(inputs, splits, strict=True))
    return Dataset(
        name=name,
        domain=domain,
        classes=_classes(name, arrays, splits),
        train=train[0] if train else None,
        test=test,
        preprocessing=_preprocessing(name, arrays) if domain == INT8_FEATURES else None,
    )


def _splits(name: str, arrays: Arrays) -> list[Split]:
    """The test split, preceded by the train split if there is one."""
    if "x" in arrays and "y" in arrays:
        return [_split(name, arrays["x"], arrays["y"])]
    if {"x_train", "y_train", "x_test", "y_test"} <= arrays.keys():
        return [_split(name, arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test")]
    raise UserError(
        f"{name} has no x and y",
        cause=f"it holds {', '.join(sorted(arrays)) or 'nothing'}",
        hint="name the arrays x and y, or x_train, y_train, x_test and y_test",
    )


def _split(name: str, x: NDArray[Any], y: NDArray[Any]) -> Split:
    if x.dtype.kind == "f" and x.ndim >= 2:
        x = x.astype(np.float32, copy=False)
    elif x.dtype == np.uint8 and x.ndim == 3:
        x = x[..., np.newaxis]
    elif not _is_stored(x):
        raise UserError(
            f"the inputs of {name} are {x.dtype} of shape {list(x.shape)}",
            hint="give uint8 images [n, height, width, channels], int8 codes [n, ...], floats [n, ...] or "
            "int16 sounds [n, samples]",
        )
    if _are_values(y):
        check_values(x, len(y))
        check_values(y.reshape(len(y), -1), len(y))
        return Split(x, np.zeros(len(y), np.int64), y.reshape(len(y), -1).astype(np.float32))
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype.kind not in "iu" or y.ndim != 1:
        named = y.dtype.kind in "US"
        raise UserError(
            f"the labels of {name} are {'strings' if named else y.dtype} of shape {list(y.shape)}",
            cause="one whole number an input is wanted, 0 .. classes - 1",
            hint="write classes, y = np.unique(names, return_inverse=True), and both into the file"
            if named
            else "for one-hot labels take y.argmax(axis=1), whole numbers as integers; the values of a "
            "regression are floats of which one at least is no whole number",
        )
    check_values(x, len(y))
    return Split(x, y.astype(np.int64, copy=False))


def _is_stored(x: NDArray[Any]) -> bool:
    """Whether x is stored as images, codes or waveforms are."""
    return (str(x.dtype), x.ndim) in (("uint8", 4), ("int16", 2)) or (x.dtype == np.int8 and x.ndim >= 2)


def _are_values(y: NDArray[Any]) -> bool:
    """Whether y holds the values of a regression: floats, not all whole numbers, which may be labels."""
    return y.dtype.kind == "f" and y.ndim in (1, 2) and y.size > 0 and not bool((y == np.rint(y)).all())


def _as_stored(name: str, inputs: list[NDArray[Any]]) -> tuple[Domain, list[NDArray[Any]]]:
    """The domain of the inputs of all splits, and how a data set stores them."""
    dtypes = {str(x.dtype) for x in inputs}
    if len(dtypes) > 1:
        raise UserError(f"the splits of {name} have different dtypes: {' and '.join(sorted(dtypes))}")
    if dtypes == {"uint8"}:
        return IMAGE, inputs
    if dtypes == {"int16"}:
        return WAVEFORM, inputs
    if dtypes == {"int8"}:
        return INT8_FEATURES, inputs
    low = min(float(x.min(initial=np.inf)) for x in inputs)
    high = max(float(x.max(initial=-np.inf)) for x in inputs)
    if not (inputs[0].ndim == 4 and low >= 0 and high <= 1):
        return features(low, high), inputs
    if all(_on_pixel_grid(x) for x in inputs):
        return IMAGE, [np.rint(x * np.float32(255)).astype(np.uint8) for x in inputs]
    return features(0.0, 1.0), inputs


def _on_pixel_grid(x: NDArray[np.float32]) -> bool:
    """Whether all values are 8-bit levels divided by 255."""
    levels = x * np.float32(255)
    return bool(np.abs(levels - np.rint(levels)).max(initial=0) < _PIXEL_TOLERANCE)


def _classes(name: str, arrays: Arrays, splits: list[Split]) -> tuple[str, ...]:
    """The names given, else the labels themselves; of a regression, what its errors are."""
    if any(split.values is not None for split in splits):
        return REGRESSION_CLASSES
    if "classes" in arrays:
        names = arrays["classes"]
        if names.ndim != 1 or names.dtype.kind != "U":
            raise UserError(
                f"the classes of {name} are {names.dtype} of shape {list(names.shape)}",
                hint="give an array of strings, one a label",
            )
        letters = (
            np.ascontiguousarray(names).astype(names.dtype.newbyteorder("="), copy=False).view(np.uint32)
        )
        if letters.max(initial=0) > sys.maxunicode:
            raise UserError(f"the classes of {name} are no text", hint="give an array of strings")
        told = tuple(plain(str(label)) for label in names)
        if len(set(told)) < len(told) or "" in told:
            twice = next((each for each in told if not each or told.count(each) > 1), "")
            raise UserError(
                f"the classes of {name} hold {twice!r} twice" if twice else f"a class of {name} has no name",
                hint="give each label a name of its own",
            )
        return told
    count = max(int(split.y.max(initial=0)) for split in splits) + 1
    if count > _MOST_CLASSES:
        raise UserError(
            f"the labels of {name} run up to {count - 1}",
            cause="labels must be 0 .. classes - 1",
            hint="check y, or give the names of the classes",
        )
    return tuple(map(str, range(count)))


def _preprocessing(name: str, arrays: Arrays) -> Preprocessing | None:
    """What int8 codes stand for, if the arrays say so."""
    given = [key for key in ("scale", "zero_point") if key in arrays]
    if not given:
        return None
    if len(given) == 1 or any(arrays[key].size != 1 or arrays[key].dtype.kind not in "iuf" for key in given):
        raise UserError(f"{name} must give both scale and zero_point, each one number")
    scale, zero_point = (float(arrays[key].item()) for key in ("scale", "zero_point"))
    if not (0 < scale < np.inf and -128 <= zero_point <= 127 and zero_point == int(zero_point)):
        raise UserError(
            f"{name} has scale {scale:g} and zero_point {zero_point:g}",
            cause="a scale is positive and finite, an int8 zero point a whole number of -128 .. 127",
        )
    return Preprocessing(scale=scale, offset=-scale * zero_point)
