"""The types of a data set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import DataInfo, Domain, Preprocessing
from qbench.errors import UserError

IMAGE = Domain(name="image", low=0.0, high=1.0, step=1 / 255)
INT8_FEATURES = Domain(name="int8-features", low=-128.0, high=127.0, step=1.0)
FEATURES = Domain(name="features", low=-np.inf, high=np.inf, step=None)


@dataclass(frozen=True)
class Split:
    """Inputs as stored (uint8 pixels, int8 codes or float32 features) and their labels.

    Attributes:
        x: [n, *shape].
        y: [n] int64, 0 .. classes - 1.
    """

    x: NDArray[Any]
    y: NDArray[np.int64]

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
        for split in filter(None, (self.train, self.test)):
            _check_split(split, len(self.classes))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the stored bytes of both splits."""
        digest = hashlib.sha256()
        for split in filter(None, (self.train, self.test)):
            for array in (split.x, split.y):
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
        )

    def inputs(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Stored elements as float32 in the domain: pixels in [0, 1], codes and features as they are."""
        values = stored.astype(np.float32)
        return values / np.float32(255) if self.domain.name == "image" else values


def _check_split(split: Split, classes: int) -> None:
    """Refuse data that would only fail later, and less clearly."""
    if len(split.x) != len(split.y) or not len(split.y):
        raise UserError(f"the data has {len(split.x)} inputs and {len(split.y)} labels")
    if split.x.dtype.kind == "f" and not np.isfinite(split.x).all():
        bad = int((~np.isfinite(split.x.reshape(len(split.x), -1)).all(axis=1)).argmax())
        raise UserError(f"the data holds NaN or infinity, first in input {bad}", hint="clean the data set")
    low, high = int(split.y.min()), int(split.y.max())
    if low < 0 or high >= classes:
        raise UserError(
            f"labels run from {low} to {high}, but there are {classes} classes",
            cause="labels must be 0 .. classes - 1",
        )
