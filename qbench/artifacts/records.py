"""An `.npy` file that grows row by row, so that an interrupted run keeps what it has."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import InternalFault


class RecordFile:
    """Rows appended to an `.npy` whose header states the final shape; the file's length is the journal.

    Reopening drops a torn last row and goes on after the last whole one.

    Args:
        path: the `.npy` file.
        shape: [rows, *row] of the finished array.
        dtype: of the elements.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: str) -> None:
        self.path, self.shape, self.dtype = path, shape, np.dtype(dtype)
        header = BytesIO()
        np.lib.format.write_array_header_1_0(  # type: ignore[no-untyped-call]
            header,
            {"descr": self.dtype.str, "fortran_order": False, "shape": shape},
        )
        self._header = header.getvalue()
        self._row_bytes = int(np.prod(shape[1:], dtype=np.int64)) * self.dtype.itemsize
        self.done = self._recover()

    @property
    def complete(self) -> bool:
        """Whether every row is there."""
        return self.done == self.shape[0]

    def _recover(self) -> int:
        """Number of whole rows on disk, after cutting off a torn one; 0 starts the file anew."""
        try:
            with self.path.open("r+b") as file:
                if file.read(len(self._header)) == self._header:
                    rows = (os.fstat(file.fileno()).st_size - len(self._header)) // self._row_bytes
                    file.truncate(len(self._header) + rows * self._row_bytes)
                    return rows
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(self._header)
        return 0

    def append(self, rows: NDArray[Any]) -> None:
        """Write rows [n, *row] behind the last and flush them to the disk."""
        if rows.shape[1:] != self.shape[1:] or self.done + len(rows) > self.shape[0]:
            raise ValueError(f"rows of shape {rows.shape} do not fit {self.shape} after {self.done}")
        with self.path.open("ab") as file:
            found, wanted = os.fstat(file.fileno()).st_size, len(self._header) + self.done * self._row_bytes
            if found != wanted:
                raise InternalFault(
                    f"{self.path} has {found:,} bytes, where this process has written {wanted:,}",
                    cause="another process writes to the same file",
                    hint="let one process at a time write a folder",
                )
            file.write(np.ascontiguousarray(rows, self.dtype).tobytes())
            file.flush()
            os.fsync(file.fileno())
        self.done += len(rows)

    def keep(self, rows: int) -> None:
        """Drop all rows after the first `rows`, where a file beside this one has fewer."""
        with self.path.open("r+b") as file:
            file.truncate(len(self._header) + min(rows, self.done) * self._row_bytes)
        self.done = min(rows, self.done)

    def read(self) -> NDArray[Any]:
        """The rows written so far, memory-mapped read-only."""
        if not self.done:
            return np.empty((0, *self.shape[1:]), self.dtype)
        shape = (self.done, *self.shape[1:])
        return np.memmap(self.path, self.dtype, "r", len(self._header), shape)
