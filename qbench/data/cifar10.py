"""CIFAR-10 in its authors' binary version: plain records, nothing to unpickle."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qbench.data.arrays import dataset_from_arrays
from qbench.data.base import Dataset
from qbench.data.cache import Arrays, load_or_make
from qbench.data.download import fetch
from qbench.errors import InternalFault
from qbench.places import cache_dir
from qbench.progress import SILENT, Progress

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_FOLDER = "cifar-10-batches-bin"
_IMAGE_SHAPE = (3, 32, 32)
_RECORD_BYTES = 1 + 3 * 32 * 32


def load_cifar10(progress: Progress = SILENT, *, url: str = URL, sha256: str = SHA256) -> Dataset:
    """CIFAR-10: 50,000 images to train and 10,000 to test, 32x32 RGB; downloaded once, 170 MB.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    Args:
        progress: hears of the download.
        url: address of the archive.
        sha256: of the archive.

    Raises:
        EnvironmentLacks: the archive is not in the cache and cannot be downloaded.
    """

    def make() -> Arrays:
        return _read_archive(fetch(url, sha256, cache_dir() / "downloads" / Path(url).name, progress))

    return dataset_from_arrays("cifar10", load_or_make(f"cifar10-{sha256}", make, progress))


def _read_archive(path: Path) -> Arrays:
    """The arrays of the archive, read in place: nothing is unpacked to the disk."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            train = [_read_batch(archive, f"data_batch_{number}.bin") for number in range(1, 6)]
            test = _read_batch(archive, "test_batch.bin")
    except (tarfile.TarError, KeyError, ValueError, EOFError, zlib.error, OSError) as error:
        raise InternalFault(f"{path} has the expected checksum, but cannot be read: {error}") from error
    return {
        "x_train": np.concatenate([x for x, _ in train]),
        "y_train": np.concatenate([y for _, y in train]),
        "x_test": test[0],
        "y_test": test[1],
        "classes": np.array(CLASSES),
    }


def _read_batch(archive: tarfile.TarFile, name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images [n, 32, 32, 3] and labels [n] of records of a label and three planes of a colour each."""
    file = archive.extractfile(f"{_FOLDER}/{name}")
    if file is None:
        raise KeyError(f"{name} is not a file")
    records = np.frombuffer(file.read(), np.uint8).reshape(-1, _RECORD_BYTES)
    planes = records[:, 1:].reshape(-1, *_IMAGE_SHAPE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), records[:, 0]
