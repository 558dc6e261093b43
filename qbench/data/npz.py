"""Data sets in `.npz` files; the arrays' names and meaning are those of `qbench.data.arrays`."""

from __future__ import annotations

from pathlib import Path

from qbench.data.arrays import dataset_from_arrays
from qbench.data.base import Dataset
from qbench.data.cache import NPZ_ERRORS, read_npz
from qbench.errors import UserError


def load_npz(path: Path) -> Dataset:
    """The data set in an `.npz` file, named by the file's stem.

    Raises:
        UserError: the file is damaged, holds pickled objects, or its arrays are not a data set.
    """
    try:
        arrays = read_npz(path)
    except NPZ_ERRORS as error:
        raise UserError(
            f"{path} cannot be read as .npz: {error}",
            cause="the file is truncated or damaged, or it holds Python objects, which are not loaded",
            hint="write it with numpy.savez from arrays of numbers and strings",
        ) from error
    return dataset_from_arrays(path.stem, arrays)
