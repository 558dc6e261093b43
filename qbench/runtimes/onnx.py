"""ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from qbench.formats.onnx_file import onnx_specs
from qbench.formats.onnx_reading import read_onnx
from qbench.runtimes.batched import BatchedRuntime, Worker
from qbench.runtimes.saturation import saturates, session_options

EXACT = "mlas"
SATURATING = "mlas, saturating at 16 bits"


class OnnxRuntime(BatchedRuntime):
    """ONNX Runtime's CPU provider on a graph in QDQ form.

    The graph's own ends are float32, before a QuantizeLinear and behind a DequantizeLinear. Codes go in
    dequantized and come out quantized again; both are exact, since a code times its scale rounds to it.

    Attributes:
        precise: whether exact integer arithmetic is asked for on every CPU.
    """

    name = "onnx"
    artifact: ClassVar[str] = "int8.onnx"
    packages: ClassVar[tuple[str, ...]] = ("onnxruntime",)
    precise: ClassVar[bool] = False

    def _open(self) -> Sequence[Worker]:
        self.package()
        import onnxruntime

        options = session_options(precise=self._asks_for_precision())
        content = read_onnx(self.path)
        refused = onnxruntime.capi.onnxruntime_pybind11_state
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except refused.NotImplemented as error:
            raise self.rejection(error) from error
        except Exception as error:  # its exceptions share no base class of their own
            raise self.unreadable("ONNX", error) from error
        (entry,) = self._session.get_inputs()
        self._entry = entry.name
        for role, found in zip(("input", "output"), onnx_specs(content, self.path.name), strict=True):
            self.check_tensor(role, found)
        if isinstance(entry.shape[0], int):
            self.batch = entry.shape[0]
        return [self._run] * self.threads  # a session may run in many threads at once

    @classmethod
    def _asks_for_precision(cls) -> bool:
        """Only where it is needed: with it, some graphs of int8 codes lack a kernel."""
        return cls.precise and saturates(precise=False)

    @classmethod
    def basis(cls) -> str:
        """With the kernels, which depend on the CPU."""
        return f"{super().basis()}, {cls._kernels()}"

    @classmethod
    def _kernels(cls) -> str:
        return SATURATING if saturates(precise=cls._asks_for_precision()) else EXACT

    @property
    def kernels(self) -> str:
        """ONNX Runtime's own kernel library, and whether it is exact on this machine."""
        return self._kernels()

    def _run(self, batch: NDArray[Any]) -> NDArray[Any]:
        entry, exit_ = self.input.quantization, self.output.quantization
        real = entry.dequantize(batch) if entry else batch
        (found,) = self._session.run(None, {self._entry: real})
        scores = cast("NDArray[np.float32]", found)
        return exit_.quantize(scores) if exit_ else scores


class ExactOnnxRuntime(OnnxRuntime):
    """The same with `session.x64quantprecision`: exact arithmetic also on x86 without VNNI, at some speed."""

    name = "onnx-exact"
    precise: ClassVar[bool] = True

    @classmethod
    def usual(cls) -> bool:
        """Only where the other one is not exact; elsewhere they are the same."""
        return saturates(precise=False)
