"""Splitting an invocation over workers, each at one fixed batch size."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import TensorSpec
from qbench.errors import InternalFault
from qbench.runtimes.base import Runtime

Worker = Callable[[NDArray[Any]], NDArray[Any]]
"""Computes exactly `batch` inputs; called by one thread at a time."""


class BatchedRuntime(Runtime):
    """A runtime made of workers that run side by side, one a thread.

    Every worker sees batches of one size only, the last one padded: where the size of a batch could decide
    about a rounding, it is always the same, so that neither threads nor the length of the input do.

    Attributes:
        batch: how many inputs a worker takes at once; an opened model may lower it.
    """

    batch: int = 64

    def __init__(self, path: Path, input: TensorSpec, output: TensorSpec, *, threads: int = 1) -> None:  # noqa: A002
        super().__init__(path, input, output, threads=threads)
        self._workers = self._open()
        self.threads = len(self._workers)
        self._pool = ThreadPoolExecutor(self.threads)

    @abstractmethod
    def _open(self) -> Sequence[Worker]:
        """Open the model once for each of up to `threads` workers."""

    def invoke(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Outputs [n, *output.shape] in the output's dtype, for inputs [n, *input.shape] in the input's.

        Raises:
            UserError: the inputs have another shape or dtype.
        """
        self.check_input(batch)
        out = np.empty((len(batch), *self.output.shape), self.output.dtype)
        starts = iter(range(0, len(batch), self.batch))  # shared: a worker that is done takes the next

        def work(worker: Worker) -> None:
            for start in starts:
                part = batch[start : start + self.batch]
                out[start : start + len(part)] = self._whole(worker, part)[: len(part)]

        if self.threads == 1:
            work(self._workers[0])
        else:
            list(self._pool.map(work, self._workers))
        return out

    def _whole(self, worker: Worker, part: NDArray[Any]) -> NDArray[Any]:
        """Run one worker on a part, padded to a whole batch."""
        if len(part) < self.batch:
            part = np.concatenate([part, np.zeros((self.batch - len(part), *part.shape[1:]), part.dtype)])
        found = worker(part)
        if found.shape != (self.batch, *self.output.shape) or found.dtype != self.output.dtype:
            raise InternalFault(f"{self.name} answered {found.dtype} {found.shape} for {self.batch} inputs")
        return found

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown()
