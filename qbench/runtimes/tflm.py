"""TFLite Micro's interpreter, built for the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from numpy.typing import NDArray

from qbench.formats.tflite_file import refuse_external_constants
from qbench.places import pip_install
from qbench.quant import Quantization
from qbench.runtimes.batched import BatchedRuntime, Worker
from qbench.runtimes.tflite import check_tflite, inner_grid

# Room for any network that a microcontroller could hold; pages that are never touched cost nothing.
ARENA_BYTES = 1 << 28


class TflmRuntime(BatchedRuntime):
    """TFLite Micro: one image at a time on one thread, since its `Invoke` keeps the GIL."""

    name = "tflm"
    artifact: ClassVar[str] = "int8.tflite"
    packages: ClassVar[tuple[str, ...]] = ("tflite-micro",)
    install: ClassVar[str] = pip_install("tflm")
    batch = 1

    def _open(self) -> Sequence[Worker]:
        self.package()
        # Its own reader trusts the flatbuffer: let TFLite verify the file first.
        verified = check_tflite(self)
        self._grid = self.input.quantization or inner_grid(verified)
        content = self.path.read_bytes()
        refuse_external_constants(content, self.path.name, "TFLite Micro")
        from tflite_micro.python.tflite_micro import runtime

        try:
            interpreter = runtime.Interpreter.from_bytes(content, arena_size=ARENA_BYTES)
        except RuntimeError as error:
            raise self.rejection(error) from error

        def worker(codes: NDArray[Any]) -> NDArray[Any]:
            interpreter.set_input(codes, 0)
            interpreter.invoke()
            return cast("NDArray[Any]", interpreter.get_output(0))

        return [worker]

    @property
    def kernels(self) -> str:
        """The wheel is built with the portable kernels."""
        return "reference"

    @property
    def grid(self) -> Quantization | None:
        """The grid of the input tensor, or of the QUANTIZE behind a float32 input."""
        return self._grid
