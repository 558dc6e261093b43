"""The embedded data set: scikit-learn's handwritten digits."""

from __future__ import annotations

import numpy as np

from qbench.data.arrays import dataset_from_arrays
from qbench.data.base import Dataset

_SPLIT_SEED = 0


def load_digits() -> Dataset:
    """The 1,797 images of 8x8 digits, 80 % to train and 20 % to test, stratified.

    Grey levels 0 .. 16 become pixels round(level * 255 / 16), so that a pixel means what it means elsewhere.
    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998 (the test part).
    """
    from sklearn.datasets import load_digits as sklearn_digits
    from sklearn.model_selection import train_test_split

    bunch = sklearn_digits()
    pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    x_train, x_test, y_train, y_test = train_test_split(
        pixels, bunch.target, test_size=0.2, stratify=bunch.target, random_state=_SPLIT_SEED
    )
    classes = np.array([str(digit) for digit in range(10)])
    return dataset_from_arrays(
        "digits",
        {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test, "classes": classes},
    )
