"""The firmware's own C runtime, built for this machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from numpy.typing import NDArray

from qbench.errors import UserError
from qbench.places import firmware_digest
from qbench.quant import Quantization
from qbench.runtimes.batched import BatchedRuntime, Worker
from qbench.runtimes.hostlib import HostModel, kernel_set, require_tools
from qbench.runtimes.tflite import check_tflite, inner_grid


class HostRuntime(BatchedRuntime):
    """Runs `int8.tflite` on the same core and kernels that a board runs, so with the same results."""

    name = "host"
    artifact: ClassVar[str] = "int8.tflite"
    install: ClassVar[str] = "install make and a C compiler (Debian: apt install build-essential)"
    batch = 1

    @classmethod
    def package(cls) -> tuple[str, str]:
        """The firmware that qbench carries, by the digest of its sources.

        Raises:
            EnvironmentLacks: it cannot be built here.
        """
        require_tools()
        return "qbench-firmware", firmware_digest()[:12]

    def _open(self) -> Sequence[Worker]:
        self.package()
        self._grid = self.input.quantization or inner_grid(check_tflite(self))
        try:
            model = self.path.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read {self.path}", cause=error.strerror) from error
        self._models = [HostModel(model) for _ in range(self.threads)]
        ends = {"input": self._models[0].inputs, "output": self._models[0].outputs}
        for role, tensors in ends.items():
            if len(tensors) != 1:
                raise UserError(f"{self.path.name} has {len(tensors)} {role}s; qbench runs networks with one")
            self.check_tensor(role, tensors[0].spec)
        return [partial(_run, opened) for opened in self._models]

    @property
    def kernels(self) -> str:
        """What the library says that it was built with."""
        return kernel_set()

    @property
    def grid(self) -> Quantization | None:
        """The grid of the input tensor, or of the QUANTIZE behind a float32 input."""
        return self._grid

    def close(self) -> None:
        """Stop the threads and free the models."""
        super().close()
        for model in self._models:
            model.close()


def _run(model: HostModel, codes: NDArray[Any]) -> NDArray[Any]:
    """One input; the model's own batch dimension is 1."""
    (result,) = model.run(codes.reshape(1, *model.inputs[0].shape))
    return result.reshape(1, *model.outputs[0].shape[1:])
