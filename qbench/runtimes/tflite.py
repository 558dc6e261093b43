"""TFLite on the host: XNNPACK, the reference kernels, and the optimized built-in kernels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import TensorSpec
from qbench.artifacts.versions import package_version
from qbench.errors import UserError
from qbench.formats.flat_dense import with_flat_dense
from qbench.formats.tflite_file import prepare
from qbench.places import pip_install
from qbench.quant import CODE_TYPES, CodeType, Quantization
from qbench.runtimes.base import Runtime
from qbench.runtimes.batched import BatchedRuntime, Worker

# Under XNNPACK and with the built-in kernels, LiteRT and TensorFlow 2.18 are equal, bit for bit. Their
# reference kernels are not: see `TfliteReferenceRuntime`.
_LITERT = "ai-edge-litert"
_TENSORFLOW = ("tensorflow", "tensorflow-cpu")

_FIELD = "tflite-runtime"

_ONE_IMAGE = 1


def make_interpreter(
    content: bytes, resolver: str, package: str = _LITERT, *, keep_tensors: bool = False
) -> Any:
    """A single-threaded TFLite interpreter.

    Args:
        content: the flatbuffer.
        resolver: the name of an `OpResolverType`.
        package: the distribution to take it from; TensorFlow stands in for LiteRT where that is missing.
        keep_tensors: intermediate tensors can be read after an inference; this switches XNNPACK off.

    Raises:
        ValueError: the content is no TFLite flatbuffer, or holds an operator that the package does not know.
    """
    if package == _LITERT and package_version(_LITERT):
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    elif package == _FIELD:
        from tflite_runtime.interpreter import Interpreter, OpResolverType
    else:
        import tensorflow as tf

        Interpreter, OpResolverType = tf.lite.Interpreter, tf.lite.experimental.OpResolverType  # noqa: N806
        content = with_flat_dense(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # TensorFlow advertises LiteRT
        return Interpreter(
            model_content=prepare(content),
            num_threads=1,
            experimental_op_resolver_type=getattr(OpResolverType, resolver),
            experimental_preserve_all_tensors=keep_tensors,
        )


def check_tflite(runtime: Runtime) -> Any:
    """Open a runtime's file with TFLite's verifier, and hold its tensors against what was stated.

    Returns:
        An interpreter of the model, not yet allocated.

    Raises:
        UserError: the file is no TFLite model, or another one than was stated.
        EnvironmentLacks: it holds an operator that the package does not know.
    """
    try:
        interpreter = make_interpreter(runtime.path.read_bytes(), "BUILTIN_WITHOUT_DEFAULT_DELEGATES")
    except OSError as error:
        raise UserError(f"cannot read {runtime.path}", cause=error.strerror) from error
    except (ValueError, RuntimeError) as error:
        known = "op for builtin" in str(error)
        raise (runtime.rejection(error) if known else runtime.unreadable("TFLite", error)) from error
    for role, found in zip(("input", "output"), specs_of(interpreter, runtime.path.name), strict=True):
        runtime.check_tensor(role, found)
    return interpreter


def specs_of(interpreter: Any, name: str) -> tuple[TensorSpec, TensorSpec]:
    """Input and output of a model, as an interpreter of it tells them.

    Args:
        interpreter: of the model.
        name: what an error calls the file.

    Raises:
        UserError: it has several inputs or outputs, or tensors that are not int8, uint8, int16 or float32.
    """
    try:
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{name} is not a TFLite model that can be run",
            cause=f"the name of a tensor is no text: {error}",
            hint="check that the file is whole",
        ) from error
    return _spec(name, "input", inputs), _spec(name, "output", outputs)


def _spec(name: str, role: str, tensors: list[dict[str, Any]]) -> TensorSpec:
    if len(tensors) != 1:
        raise UserError(
            f"{name} has {len(tensors)} {role}s; a classifier has one",
            hint="give a network that classifies one input",
        )
    tensor = tensors[0]
    dtype = np.dtype(tensor["dtype"]).name
    if dtype not in (*CODE_TYPES, "float32"):
        raise UserError(
            f"the {role} of {name} is {dtype}; qbench takes int8, uint8, int16 or float32",
            hint="convert it again with ends of one of these types",
        )
    quantization = tensor["quantization_parameters"]
    integer = dtype != "float32"
    if integer and len(quantization["scales"]) != 1:
        raise UserError(
            f"the {role} of {name} is {dtype} with {len(quantization['scales'])} scales, not one",
            hint="convert it again with its ends quantized per tensor",
        )
    return TensorSpec(
        name=tensor["name"],
        shape=tuple(int(size) for size in tensor["shape"][1:]),
        dtype=dtype,
        scale=float(quantization["scales"][0]) if integer else None,
        zero_point=int(quantization["zero_points"][0]) if integer else None,
    )


def inner_grid(interpreter: Any) -> Quantization | None:
    """The grid that a model with float32 input rounds it to in its first operator; None if it does not."""
    index = interpreter.get_input_details()[0]["index"]
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    for operator in interpreter._get_ops_details():  # the public interface does not tell operators
        if operator["op_name"] == "QUANTIZE" and index in operator["inputs"]:
            tensor = tensors[operator["outputs"][0]]
            scale, zero_point = tensor["quantization"]
            return Quantization(scale, zero_point, cast("CodeType", np.dtype(tensor["dtype"]).name))
    return None


class TfliteRuntime(BatchedRuntime):
    """TFLite with its default delegate, XNNPACK."""

    name = "tflite"
    artifact: ClassVar[str] = "int8.tflite"
    packages: ClassVar[tuple[str, ...]] = (_LITERT, *_TENSORFLOW)
    resolver: ClassVar[str] = "AUTO"
    batch = 16  # the fastest of 1 to 128 in benchmarks/replay.py: activations stay in the cache

    def _open(self) -> Sequence[Worker]:
        package, _ = self.package()
        model = check_tflite(self)
        content = self.path.read_bytes()
        try:
            self._grid = self.input.quantization or inner_grid(model)
            first = self._open_batched(content, package)
            others = [
                _Interpreter(content, self.resolver, package, self.batch) for _ in range(self.threads - 1)
            ]
        except (RuntimeError, ValueError) as error:
            raise self.rejection(error) from error
        self._delegated = first.delegated
        return [first, *others]

    def _open_batched(self, content: bytes, package: str) -> _Interpreter:
        """An interpreter at `batch`, or at one image where the graph has a batch of one built in."""
        try:
            found = _Interpreter(content, self.resolver, package, self.batch)
            probe = np.zeros((self.batch, *self.input.shape), self.input.dtype)
            if found(probe).shape[0] == self.batch:
                return found
        except (RuntimeError, ValueError):
            pass  # a RESHAPE to a fixed size, for one
        self.batch = _ONE_IMAGE
        return _Interpreter(content, self.resolver, package, self.batch)

    @property
    def kernels(self) -> str:
        """`xnnpack` only where the delegate took operators of this model."""
        return "xnnpack" if self._delegated else "optimized"

    @property
    def grid(self) -> Quantization | None:
        """The grid of the input tensor, or of the QUANTIZE behind a float32 input."""
        return self._grid


class TfliteBuiltinRuntime(TfliteRuntime):
    """TFLite's optimized built-in kernels, without XNNPACK."""

    name = "tflite-builtin"
    resolver: ClassVar[str] = "BUILTIN_WITHOUT_DEFAULT_DELEGATES"


class TfliteFieldRuntime(TfliteRuntime):
    """The package tflite-runtime, which Linux boards in the field run; its last release is 2.14.

    Its wheels leave int8 to the built-in kernels where XNNPACK is asked for.
    """

    name = "tflite-runtime"
    packages: ClassVar[tuple[str, ...]] = (_FIELD,)
    install: ClassVar[str] = pip_install("tflite-runtime")


class TfliteReferenceRuntime(TfliteRuntime):
    """TFLite's reference kernels, the yardstick for microcontrollers.

    TensorFlow 2.18's equal TFLite Micro's, bit for bit. LiteRT's, and TensorFlow's from 2.20 on, round the
    FULLY_CONNECTED differently: by one code in some 0.2 % of its outputs, by up to 11 behind a softmax.
    """

    name = "tflite-ref"
    packages: ClassVar[tuple[str, ...]] = _TENSORFLOW
    resolver: ClassVar[str] = "BUILTIN_REF"

    @property
    def kernels(self) -> str:
        """Always `reference`."""
        return "reference"


class _Interpreter:
    """One single-threaded interpreter at a fixed batch size; `invoke` releases the GIL."""

    def __init__(self, content: bytes, resolver: str, package: str, batch: int) -> None:
        self._interpreter = make_interpreter(content, resolver, package)
        (entry,), (exit_,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._input, self._output = entry["index"], exit_["index"]
        self._interpreter.resize_tensor_input(self._input, [batch, *entry["shape"][1:]])
        self._interpreter.allocate_tensors()

    @property
    def delegated(self) -> bool:
        """Whether a delegate computes any part of the graph."""
        return any(operator["op_name"] == "DELEGATE" for operator in self._interpreter._get_ops_details())

    def __call__(self, codes: NDArray[Any]) -> NDArray[Any]:
        self._interpreter.set_tensor(self._input, codes)
        self._interpreter.invoke()
        return cast("NDArray[Any]", self._interpreter.get_tensor(self._output))
