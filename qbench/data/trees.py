"""A folder or a zip as names and bytes, so that what reads images need not know which it is."""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qbench.artifacts import sha256_of
from qbench.errors import UserError

# What reading a truncated, altered, encrypted or foreign zip raises.
ZIP_ERRORS = (OSError, ValueError, EOFError, RuntimeError, zlib.error, struct.error, zipfile.BadZipFile)
# Of a file in a tree, in bytes: an image of 256 megapixels, uncompressed.
_LARGEST_FILE = 1 << 30


@dataclass(frozen=True)
class FileTree(ABC):
    """Files under a root.

    Attributes:
        path: the folder or the zip.
        names: of all files, relative to the root with forward slashes, sorted.
    """

    path: Path
    names: tuple[str, ...]

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The bytes of a file; safe to call from several threads."""


def identity(path: Path) -> str:
    """SHA-256 that changes when a file of the tree does.

    A zip is hashed whole; of a folder's files, for speed, only the names, sizes and times of change.
    """
    if path.is_file():
        return sha256_of(path)
    root = path.resolve()
    digest = hashlib.sha256(str(root).encode())
    for file in sorted(root.rglob("*")):
        status = file.stat()
        digest.update(f"{file.relative_to(root)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@contextmanager
def open_tree(path: Path) -> Iterator[FileTree]:
    """Open a folder or a zip.

    Raises:
        UserError: the zip is damaged.
    """
    if path.is_dir():
        found = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        yield _Folder(path, tuple(sorted(found)))
        return
    try:
        archive = zipfile.ZipFile(path)
    except ZIP_ERRORS as error:
        raise UserError(
            f"{path} cannot be opened as a zip: {error}",
            cause="the file is truncated or damaged, or not a zip",
            hint="copy or download it again",
        ) from error
    with archive:
        names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
        yield _Zip(path, tuple(names), archive)


@dataclass(frozen=True)
class _Folder(FileTree):
    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()


@dataclass(frozen=True)
class _Zip(FileTree):
    archive: zipfile.ZipFile

    def read(self, name: str) -> bytes:
        size = self.archive.getinfo(name).file_size
        if size > _LARGEST_FILE:
            raise UserError(f"{name} in {self.path} has {size:,} bytes: no image is that large")
        try:
            return self.archive.read(name)
        except ZIP_ERRORS as error:
            raise UserError(
                f"{name} in {self.path} cannot be read: {error}",
                cause="the zip is damaged or encrypted",
                hint="copy or download it again",
            ) from error
