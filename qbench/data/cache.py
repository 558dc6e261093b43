"""Decoded data sets kept outside the project, so that they load in an instant the next time."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.places import cache_dir
from qbench.progress import Progress

Arrays = Mapping[str, NDArray[Any]]

# What reading a truncated, altered or foreign `.npz` raises.
NPZ_ERRORS = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile)


def cached(key: str, make: Callable[[], Arrays], progress: Progress) -> Arrays:
    """The arrays of a cache entry, made and stored if they are not there or are damaged.

    Args:
        key: names the entry; it must change whenever `make` would return something else.
        make: decodes the arrays.
        progress: is told when the cache cannot be written, which is no error.
    """
    entry = cache_dir() / "decoded" / f"{key}.npz"
    try:
        return read_npz(entry)
    except FileNotFoundError:
        pass
    except NPZ_ERRORS as error:
        progress.note(f"decoding again: the cache entry {entry} is damaged ({error})")
    arrays = make()
    try:
        _write(entry, arrays)
    except OSError as error:
        progress.note(f"cannot keep decoded data in {entry.parent} ({error.strerror}); set QBENCH_CACHE")
    return arrays


def read_npz(path: Path) -> Arrays:
    """All arrays of an `.npz`; every member's CRC-32 is checked, and pickled objects are refused.

    Raises:
        NPZ_ERRORS: the file is missing, damaged, or not such a file.
    """
    with path.open("rb") as file:  # Opened here: np.load leaves a damaged file open.
        loaded = np.load(file, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise ValueError("a single array, not an archive of arrays")
        return {name: loaded[name] for name in loaded.files}


def _write(entry: Path, arrays: Arrays) -> None:
    """Write beside and rename, so that a reader never sees half an entry."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=".partial", dir=entry.parent)
    try:
        # Not np.savez: on a full disk it leaves an archive that complains when it is collected.
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for member, array in arrays.items():
                with archive.open(f"{member}.npy", "w", force_zip64=True) as out:
                    np.lib.format.write_array(out, array, allow_pickle=False)  # type: ignore[no-untyped-call]
        Path(name).replace(entry)
    except BaseException:
        Path(name).unlink()
        raise
