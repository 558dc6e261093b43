"""What a runtime has answered so far, kept on the disk as it comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import RecordFile
from qbench.runtimes import Runtime
from qbench.runtimes.base import Computed
from qbench.text import file_name


class Journal:
    """The answers to one set of inputs: `<name>.npy`, and `<name>-counts.npy` of a runtime that counts.

    Args:
        draft: the replay's folder; the runtime's own is made in it.
        runtime: whose answers these are.
        name: of the set.
        rows: inputs of the set.
        chunk: inputs that are computed together; a runtime that does not go row by row starts again with a
            whole chunk, since the same batches give the same bytes.
    """

    def __init__(self, draft: Path, runtime: Runtime, name: str, rows: int, *, chunk: int) -> None:
        folder = draft / file_name(runtime.name)
        shape = (rows, *runtime.output.shape)
        self._vectors = RecordFile(folder / f"{name}.npy", shape, runtime.output.dtype)
        self._files = [self._vectors]
        self._counts: RecordFile | None = None
        if runtime.counter:
            self._counts = RecordFile(folder / f"{name}-counts.npy", (rows,), "uint64")
            self._files.append(self._counts)
        whole = min(file.done for file in self._files)
        if not (runtime.row_by_row or whole == rows):
            whole -= whole % chunk
        for file in self._files:
            file.keep(whole)

    @property
    def done(self) -> int:
        """Inputs that are answered."""
        return self._vectors.done

    @property
    def complete(self) -> bool:
        """Whether every input is answered."""
        return self._vectors.complete

    def append(self, piece: Computed) -> None:
        """Keep the next answers."""
        if self._counts is not None and piece.counts is not None:
            self._counts.append(piece.counts)
        self._vectors.append(piece.outputs)

    @property
    def vectors(self) -> NDArray[Any]:
        """The output vectors so far."""
        return self._vectors.read()

    @property
    def counts(self) -> NDArray[np.uint64]:
        """What each inference cost so far; empty if the runtime does not count."""
        return np.empty(0, np.uint64) if self._counts is None else self._counts.read()
