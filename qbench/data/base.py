"""The types of a data set."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import DataInfo, Domain, Preprocessing
from qbench.errors import UserError

IMAGE = Domain(name="image", low=0.0, high=1.0, step=1 / 255)
INT8_FEATURES = Domain(name="int8-features", low=-128.0, high=127.0, step=1.0)

WAVEFORM = Domain(name="waveform", low=-1.0, high=1 - 2.0**-15, step=2.0**-15)

_STORAGE = {"image": "uint8", "int8-features": "int8", "features": "float32", "waveform": "int16"}


def features(low: float, high: float) -> Domain:
    """The domain of real-valued features between finite bounds, such as the data's own extremes."""
    return Domain(name="features", low=low, high=high, step=None)


@dataclass(frozen=True)
class Split:
    """Inputs as stored and their labels.

    Attributes:
        x: [n, *shape]: uint8 pixels (domain "image"), int8 codes ("int8-features") float32 ("features") or
            16-bit samples ("waveform").
        y: [n] int64, 0 .. classes - 1; 0 in a regression.
        values: [n, elements] float32, the true values of a regression; None where labels are given.
    """

    x: NDArray[Any]
    y: NDArray[np.int64]
    values: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Dataset:
    """A data set with a test split, and a train split where there is one.

    Attributes:
        preprocessing: what a network that takes real values makes of an element, if the data knows it
            (int8 features that carry their scale and zero point).
    """

    name: str
    domain: Domain
    classes: tuple[str, ...]
    train: Split | None
    test: Split
    preprocessing: Preprocessing | None = None

    def __post_init__(self) -> None:
        for split in self.splits:
            _check_split(split, len(self.classes), _STORAGE[self.domain.name])
        if self.train is not None and self.train.x.shape[1:] != self.test.x.shape[1:]:
            raise UserError(
                f"inputs for training are {list(self.train.x.shape[1:])}, "
                f"inputs for testing {list(self.test.x.shape[1:])}"
            )

    @property
    def splits(self) -> tuple[Split, ...]:
        """The train split, if there is one, and the test split."""
        return (self.test,) if self.train is None else (self.train, self.test)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the stored bytes of both splits, and over what gives them their meaning."""
        preprocessing = self.preprocessing and self.preprocessing.model_dump()
        meaning = json.dumps([self.domain.model_dump(), self.classes, preprocessing])
        digest = hashlib.sha256(meaning.encode())
        for split in self.splits:
            for array in (split.x, split.y, *([] if split.values is None else [split.values])):
                digest.update(f"{array.shape}{array.dtype}".encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @property
    def info(self) -> DataInfo:
        """What an artefact records of this data set."""
        return DataInfo(
            name=self.name,
            fingerprint=self.fingerprint,
            domain=self.domain,
            classes=self.classes,
            input_shape=tuple(self.test.x.shape[1:]),
            values=None if self.test.values is None else self.test.values.shape[1],
        )

    def rename_classes(self, classes: tuple[str, ...]) -> Dataset:
        """The same inputs and labels with other names of the classes, of which some may have no label here.

        Raises:
            UserError: a name is empty or stands for two classes, or there are too few.
        """
        if self.test.values is not None:
            raise UserError(f"{self.name} holds the values of a regression, which has no classes to name")
        if "" in classes or len(set(classes)) < len(classes):
            raise UserError(
                f"the names of the classes are {', '.join(classes)}", cause="one is empty or given twice"
            )
        return replace(self, classes=classes)

    def adopt_names(self, classes: tuple[str, ...]) -> Dataset:
        """The same with those names, if the labels have no names of their own and there are enough."""
        numbered = self.classes == tuple(map(str, range(len(self.classes))))
        return self.rename_classes(classes) if numbered and len(classes) >= len(self.classes) else self

    def inputs(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Stored elements as float32: pixels in [0, 1], samples in [-1, 1), all else as it is."""
        values = stored.astype(np.float32)
        if self.domain.name == "waveform":
            return values * np.float32(2.0**-15)
        return values / np.float32(255) if self.domain.name == "image" else values


def check_values(x: NDArray[Any], labels: int) -> None:
    """Refuse inputs [n, *shape] that are none, as many as there are no labels for, or not all finite.

    Raises:
        UserError: which of these.
    """
    if len(x) != labels or not labels:
        raise UserError(f"the data has {len(x)} inputs and {labels} labels")
    if x.dtype.kind == "f":
        bad = ~np.isfinite(x).all(axis=tuple(range(1, x.ndim)))
        if bad.any():
            first = int(bad.argmax())
            raise UserError(
                f"the data holds NaN or infinity, first in input {first}", hint="clean the data set"
            )


def _check_split(split: Split, classes: int, dtype: str) -> None:
    """Refuse data that would only fail later, and less clearly."""
    if split.x.dtype != dtype:
        raise UserError(f"the inputs are {split.x.dtype}; their domain is stored as {dtype}")
    check_values(split.x, len(split.y))
    low, high = int(split.y.min()), int(split.y.max())
    if low < 0 or high >= classes:
        raise UserError(
            f"labels run from {low} to {high}, but there are {classes} classes",
            cause="labels must be 0 .. classes - 1",
            hint="number the labels from 0, not from 1" if (low, high) == (1, classes) else None,
        )
