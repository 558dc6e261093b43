"""The firmware's own C runtime, built for this machine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import RuntimeInfo, TensorSpec
from qbench.errors import UserError
from qbench.runtimes.base import Runtime
from qbench.runtimes.hostlib import HostModel, source_digest


class HostRuntime(Runtime):
    """Runs `int8.tflite` on the same core and kernels that a board runs, so with the same results."""

    name = "host"
    artifact = "int8.tflite"

    def __init__(self, path: Path, input: TensorSpec, output: TensorSpec, *, threads: int = 1) -> None:  # noqa: A002
        super().__init__(path, input, output, threads=threads)
        try:
            model = path.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read {path}", cause=error.strerror) from error
        self._models = [HostModel(model) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        first = self._models[0]
        if len(first.inputs) != 1 or len(first.outputs) != 1:
            raise UserError(f"{path.name} has more than one input or output tensor")
        self.arena = first.arena

    @property
    def info(self) -> RuntimeInfo:
        """Version is the digest of the C sources."""
        return RuntimeInfo(
            name=self.name,
            artifact=self.artifact,
            package="qbench firmware",
            version=source_digest()[:12],
            kernels="portable C",
            threads=self.threads,
        )

    def invoke(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Outputs [n, *output.shape] in the output's dtype, for inputs [n, *input.shape] in the input's."""
        if self._pool is None:
            return self._run(self._models[0], batch)
        parts = np.array_split(batch, self.threads)
        return np.concatenate(list(self._pool.map(self._run, self._models, parts)))

    def _run(self, model: HostModel, batch: NDArray[Any]) -> NDArray[Any]:
        """One thread's share; the model's own batch dimension is 1."""
        if len(batch) == 0:
            return np.empty((0, *self.output.shape), self.output.dtype)
        (result,) = model.run(batch.reshape(len(batch), *model.inputs[0].shape))
        return result.reshape(len(batch), *self.output.shape)

    def close(self) -> None:
        """Free the models and the threads."""
        if self._pool is not None:
            self._pool.shutdown()
        for model in self._models:
            model.close()
