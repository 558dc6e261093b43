"""Whether the files of an artefact folder are those that its header describes."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from tokenize import TokenError
from typing import Any

import numpy as np

from qbench.artifacts.base import ArraySpec
from qbench.artifacts.manifest import Manifest
from qbench.errors import UserError

MANIFEST = "manifest.json"
# What NumPy's reader of `.npy` headers raises, which evaluates them as Python literals.
ARRAY_ERRORS = (
    ValueError,
    EOFError,
    ArithmeticError,
    SyntaxError,
    TokenError,
    TypeError,
    AttributeError,
    MemoryError,
    RecursionError,
)
# In bytes, on every file system.
_LONGEST_NAME = 255
# Rows that are looked at together.
_CHUNK = 1024


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_files(folder: Path, manifest: Manifest[Any]) -> None:
    """Check that a folder holds the files of its header, no others, and arrays of the shapes that it implies.

    Raises:
        UserError: a file was changed, lost or added, or is not what the header says.
    """
    for name, record in manifest.files.items():
        _check_name(folder, name)
        file = folder / name
        if not file.is_file() or file.stat().st_size != record.bytes or sha256_of(file) != record.sha256:
            raise UserError(
                f"{file} is not the file that {MANIFEST} describes",
                cause="it was changed, truncated or removed after it was written",
                hint=f"make the {manifest.kind} again",
            )
    _check_strangers(folder, manifest)
    for name in manifest.files:
        if name.endswith(".npy"):
            check_array(folder / name)
    for name, spec in manifest.content.arrays().items():
        if name not in manifest.files:
            raise UserError(f"{folder} lacks {name}", hint=f"make the {manifest.kind} again")
        _check_against(folder / name, spec)


def _check_name(folder: Path, name: str) -> None:
    """Refuse a name that leads out of the folder."""
    path = PurePosixPath(name)
    longest = max((len(part.encode()) for part in path.parts), default=0)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not 0 < longest <= _LONGEST_NAME:
        raise UserError(
            f"{folder / MANIFEST} names the file {name!r}, which is not in the folder",
            cause="the header was not written by qbench",
        )


def _check_strangers(folder: Path, manifest: Manifest[Any]) -> None:
    """Refuse files that the header does not list; hidden ones, as file managers leave, do not count."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
        if path.is_file() and not hidden and name not in manifest.files and name != MANIFEST:
            raise UserError(
                f"{path} is not listed in {MANIFEST}",
                cause="it was added after the folder was written",
                hint="move it elsewhere",
            )


def check_array(array: Path) -> None:
    """Refuse an `.npy` file that is longer or shorter than its own header says, or holds Python objects.

    Raises:
        UserError: it is no whole array of numbers.
    """
    try:
        with np.errstate(over="raise"):
            found = np.load(array, mmap_mode="r", allow_pickle=False)
    except ARRAY_ERRORS as error:
        raise UserError(f"{array} is no whole array", cause=f"{type(error).__name__}: {error}") from error
    wanted = found.nbytes + (found.offset if isinstance(found, np.memmap) else 0)
    if isinstance(found, np.memmap) and array.stat().st_size != wanted:
        raise UserError(
            f"{array} has {array.stat().st_size:,} bytes, where its header says {wanted:,}",
            cause="another process wrote to it, or a write was cut short",
        )


def _check_against(array: Path, spec: ArraySpec) -> None:
    """Refuse an array that is not what the header implies."""
    found = np.load(array, mmap_mode="r")
    if found.shape != spec.shape or spec.dtype not in ("", found.dtype):
        raise UserError(
            f"{array} is {found.dtype} {list(found.shape)}, where {MANIFEST} implies {spec.dtype} "
            f"{list(spec.shape)}",
            cause="header and files are not of the same folder",
        )
    if spec.below is not None and found.size and not (found.min() >= 0 and found.max() < spec.below):
        raise UserError(
            f"{array} holds {found.min()} to {found.max()}, where there are {spec.below} classes",
            cause="header and files are not of the same folder",
        )
    if found.dtype.kind == "f" and not all(
        np.isfinite(found[i : i + _CHUNK]).all() for i in range(0, len(found), _CHUNK)
    ):
        raise UserError(f"{array} holds NaN or infinity", cause="the file was not written by qbench")
