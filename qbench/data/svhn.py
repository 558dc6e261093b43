"""SVHN's cropped digits, from the `.mat` files that its authors publish."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.data.arrays import dataset_from_arrays
from qbench.data.base import Dataset
from qbench.errors import EnvironmentLacks, UserError
from qbench.places import data_root

TRAIN_FILE, TEST_FILE = "train_32x32.mat", "test_32x32.mat"


def is_svhn(folder: Path) -> bool:
    """Whether a folder holds SVHN's cropped digits."""
    return (folder / TEST_FILE).is_file()


def load_svhn_by_name() -> Dataset:
    """SVHN from the folder `svhn` under `$QBENCH_DATA`.

    Raises:
        EnvironmentLacks: it is not there.
    """
    root = data_root()
    if root is None or not is_svhn(root / "svhn"):
        raise EnvironmentLacks(
            "SVHN is not on this machine",
            cause=f"there is no svhn/{TEST_FILE} under {root}" if root else "QBENCH_DATA is not set",
            hint=f"download {TRAIN_FILE} and {TEST_FILE} from http://ufldl.stanford.edu/housenumbers/ "
            "into $QBENCH_DATA/svhn, or give the folder that holds them",
        )
    return load_svhn(root / "svhn")


def load_svhn(folder: Path) -> Dataset:
    """SVHN's cropped digits, 32x32 RGB, from a folder with its `.mat` files; the train file may be absent.

    Source: Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", 2011.

    Raises:
        UserError: a file is damaged or not SVHN's.
    """
    test = _read(folder / TEST_FILE)
    arrays = {"x": test[0], "y": test[1], "classes": np.array([str(digit) for digit in range(10)])}
    if (folder / TRAIN_FILE).is_file():
        train = _read(folder / TRAIN_FILE)
        del arrays["x"], arrays["y"]
        arrays |= {"x_train": train[0], "y_train": train[1], "x_test": test[0], "y_test": test[1]}
    return dataset_from_arrays("svhn", arrays)


def _read(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Images [n, 32, 32, 3] and labels [n] of one file, which keeps n last and calls a zero 10."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(path, variable_names=("X", "y"))
        images, labels = content["X"], content["y"].ravel()
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError, MatReadError, zlib.error) as error:
        raise UserError(
            f"{path} cannot be read as a file of SVHN: {error}",
            cause="the download is incomplete, or the file is another one",
            hint="download it again",
        ) from error
    return np.ascontiguousarray(np.moveaxis(images, -1, 0)), np.where(labels == 10, 0, labels)
