"""ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from qbench.runtimes.batched import BatchedRuntime, Worker


class OnnxRuntime(BatchedRuntime):
    """ONNX Runtime's CPU provider on a graph in QDQ form.

    The graph's own ends are float32, before a QuantizeLinear and behind a DequantizeLinear. Codes go in
    dequantized and come out quantized again; both are exact, since a code times its scale rounds to it.
    """

    name = "onnx"
    artifact: ClassVar[str] = "int8.onnx"
    packages: ClassVar[tuple[str, ...]] = ("onnxruntime",)

    def _open(self) -> Sequence[Worker]:
        self.package()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        refused = onnxruntime.capi.onnxruntime_pybind11_state
        try:
            self._session = onnxruntime.InferenceSession(
                str(self.path), options, providers=["CPUExecutionProvider"]
            )
        except refused.NotImplemented as error:
            raise self.rejected(error) from error
        except Exception as error:  # its exceptions share no base class of their own
            raise self.unreadable("ONNX", error) from error
        (entry,) = self._session.get_inputs()
        self._entry = entry.name
        self.check_tensor("input", tuple(entry.shape[1:]), self.input.dtype)
        if isinstance(entry.shape[0], int):
            self.batch = entry.shape[0]
        return [self._run] * self.threads  # a session may run in many threads at once

    @property
    def kernels(self) -> str:
        """ONNX Runtime's own kernel library."""
        return "mlas"

    def _run(self, batch: NDArray[Any]) -> NDArray[Any]:
        entry, exit_ = self.input.quantization, self.output.quantization
        real = entry.dequantize(batch) if entry else batch
        (found,) = self._session.run(None, {self._entry: real})
        scores = cast("NDArray[np.float32]", found)
        return exit_.quantize(scores) if exit_ else scores
