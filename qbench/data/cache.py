"""Decoded data sets kept outside the project, so that they load in an instant the next time."""

from __future__ import annotations

import math
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts.checking import ARRAY_ERRORS
from qbench.places import cache_dir, memory
from qbench.progress import Progress

Arrays = Mapping[str, NDArray[Any]]

# What reading a truncated, altered or foreign `.npz` raises.
NPZ_ERRORS = (*ARRAY_ERRORS, OSError, RuntimeError, zlib.error, zipfile.BadZipFile)


def load_or_make(key: str, make: Callable[[], Arrays], progress: Progress) -> Arrays:
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
        if zipfile.is_zipfile(file):
            _check_sizes(file)
        file.seek(0)
        loaded = np.load(file, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise ValueError("a single array, not an archive of arrays")
        return {name: loaded[name] for name in loaded.files}


def _check_sizes(file: BinaryIO) -> None:
    """Refuse arrays that are not as large as they say, or larger together than this process may hold."""
    total = 0
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            with archive.open(member) as array:
                version = np.lib.format.read_magic(array)  # type: ignore[no-untyped-call]
                read = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }
                if version not in read:
                    raise ValueError(f"{member.filename} is an array of version {version}")
                shape, _, dtype = read[version](array)  # type: ignore[no-untyped-call]
                said = math.prod(shape) * dtype.itemsize
                if said != member.file_size - array.tell() and not dtype.hasobject:
                    what = f"an array {dtype} {list(shape)} has {said:,}"
                    raise ValueError(f"{member.filename} has {member.file_size:,} bytes; {what}")
                total += member.file_size
    if total > memory() // 2:
        raise ValueError(f"its arrays take {total:,} bytes, more than half of this machine's memory")


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
