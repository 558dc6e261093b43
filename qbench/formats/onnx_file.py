"""What an ONNX file says of its quantization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import TensorSpec
from qbench.errors import UserError
from qbench.formats.onnx_reading import WHOLE, parse_onnx

if TYPE_CHECKING:
    import onnx

# Operators that rearrange values and leave their quantization alone.
_REARRANGING = {"Identity", "Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze"}


@dataclass(frozen=True)
class Codes:
    """How a QuantizeLinear or DequantizeLinear maps reals to codes: real = scale * (code - zero point).

    Attributes:
        dtype: NumPy's name of the codes' type, as the file states it.
        scales: [1] or [channels] float32, finite and above 0.
        zero_points: int64, as many.
        axis: of the channels; None for one scale.
    """

    dtype: str
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    axis: int | None


class OnnxGraph:
    """A model's graph with one input and one output.

    Args:
        model: a checked one.
        name: what an error calls it.

    Attributes:
        proto: the graph itself.
        constants: by tensor name, the arrays of initializers and of Constant nodes.
        entry, exit: the two ends.

    Raises:
        UserError: it has several inputs or outputs, or a constant that cannot be read.
    """

    def __init__(self, model: onnx.ModelProto, name: str) -> None:
        self.proto, self.name = model.graph, name
        self.constants: dict[str, NDArray[Any]] = {
            tensor: self._array(value, tensor) for tensor, value in _constant_tensors(model.graph)
        }
        inputs = [each for each in self.proto.input if each.name not in self.constants]
        if len(inputs) != 1 or len(self.proto.output) != 1:
            raise UserError(
                f"{name} has {len(inputs)} inputs and {len(self.proto.output)} outputs, not one each",
                hint="give a network that classifies one input",
            )
        self.entry, self.exit = inputs[0], self.proto.output[0]
        for value in (self.entry, self.exit):
            if any(dim.dim_value < 0 for dim in value.type.tensor_type.shape.dim):
                raise UserError(f"{name} states a negative size of {value.name!r}", hint=WHOLE)
        self._producers = {output: node for node in self.proto.node for output in node.output}

    def codes(self, node: onnx.NodeProto) -> Codes:
        """What a QuantizeLinear or DequantizeLinear says; the zero point's own type decides.

        Raises:
            UserError: its parameters are not constants, or make no sense.
        """
        scales = self._parameter(node, 1)
        if scales is None:
            raise self.refusal(node, "it has no scale")
        stated = self._parameter(node, 2)
        zero_points = np.zeros(scales.shape, np.int64) if stated is None else stated
        if scales.ndim > 1 or zero_points.size != scales.size or not scales.size:
            raise self.refusal(node, f"{scales.size} scales and {zero_points.size} zero points")
        real = scales.astype(np.float32).reshape(-1)
        if not (np.isfinite(real).all() and (real > 0).all()):
            raise self.refusal(node, "a scale is not a finite number above 0")
        dtype = stated.dtype.name if stated is not None else self._dtype_without_zero_point(node)
        integral = dtype.startswith(("int", "uint"))
        return Codes(
            dtype,
            real,
            zero_points.astype(np.int64).reshape(-1) if integral else np.zeros(real.size, np.int64),
            None if real.size == 1 else int(_attribute(node, "axis", 1)),
        )

    def refusal(self, node: onnx.NodeProto, cause: str) -> UserError:
        """The error for a quantizer that cannot be read."""
        return UserError(
            f"the {node.op_type} that makes {next(iter(node.output), '')!r} in {self.name} cannot be read",
            cause=cause,
            hint="quantize the network again; ONNX Runtime's quantize_static writes what qbench reads",
        )

    def _parameter(self, node: onnx.NodeProto, position: int) -> NDArray[Any] | None:
        """A constant operand; None where it is left out."""
        if position >= len(node.input) or not node.input[position]:
            return None
        if node.input[position] not in self.constants:
            what = ("values", "scale", "zero point")[position]
            raise self.refusal(node, f"its {what} {node.input[position]!r} is computed, not a constant")
        return self.constants[node.input[position]]

    def _dtype_without_zero_point(self, node: onnx.NodeProto) -> str:
        """uint8 or what `output_dtype` says; of a DequantizeLinear the type of what it gets."""
        if node.op_type == "QuantizeLinear":
            return _type_name(int(_attribute(node, "output_dtype", 0))) or "uint8"
        tensor = node.input[0]
        if tensor in self.constants:
            return self.constants[tensor].dtype.name
        source = self._producers.get(tensor)
        while source is not None and source.op_type in _REARRANGING:
            source = self._producers.get(source.input[0])
        if source is None or source.op_type != "QuantizeLinear":
            raise self.refusal(node, "it has no zero point, and nothing else tells the type of its codes")
        return self.codes(source).dtype

    def _array(self, value: onnx.TensorProto, tensor: str) -> NDArray[Any]:
        from onnx import numpy_helper

        try:
            return np.asarray(numpy_helper.to_array(value))
        except Exception as error:  # a shape and its data that do not fit, an unknown type
            raise UserError(
                f"the constant {tensor!r} of {self.name} cannot be read",
                cause=(str(error).splitlines() or [type(error).__name__])[0],
                hint=WHOLE,
            ) from error

    def quantizer(self, role: Literal["input", "output"]) -> onnx.NodeProto | None:
        """The QuantizeLinear behind the input, or the DequantizeLinear before the output; None without."""
        forward = role == "input"
        tensor = self.entry.name if forward else self.exit.name
        for node in self.proto.node if forward else reversed(self.proto.node):
            near, far = (node.input, node.output) if forward else (node.output, node.input)
            if tensor in near:
                if node.op_type == ("QuantizeLinear" if forward else "DequantizeLinear"):
                    return node
                if node.op_type not in _REARRANGING:
                    return None
                tensor = far[0]
        return None


def onnx_specs(content: bytes, name: str = "the ONNX model") -> tuple[TensorSpec, TensorSpec]:
    """Input and output of a graph; of one in QDQ form with type, scale and zero point of its end quantizers.

    Raises:
        UserError: it is no such graph, or its ends have codes of a type that qbench does not take.
    """
    graph = OnnxGraph(parse_onnx(content, name), name)
    return _spec(graph, "input"), _spec(graph, "output")


def check_integer_onnx(content: bytes, name: str) -> None:
    """Refuse a graph that is damaged, or that nothing quantizes.

    Raises:
        UserError: the content is no ONNX model, or has no quantizer, or not one input and one output.
    """
    graph = OnnxGraph(parse_onnx(content, name), name)
    if not any(node.op_type == "QuantizeLinear" for node in graph.proto.node):
        raise UserError(
            f"{name} is not an integer network",
            cause="it has no QuantizeLinear: it computes in float32, or in quantized operators",
            hint="give a graph in QDQ form",
        )


def _spec(graph: OnnxGraph, role: Literal["input", "output"]) -> TensorSpec:
    value = graph.entry if role == "input" else graph.exit
    tensor = value.type.tensor_type
    if _type_name(tensor.elem_type) != "float32":
        raise UserError(
            f"the {role} of {graph.name} is {_type_name(tensor.elem_type) or 'of an unknown type'}",
            cause="qbench takes ONNX graphs with float32 ends, quantized inside",
            hint="quantize it again with float32 ends, as ONNX Runtime's quantize_static does",
        )
    shape = tuple(int(dim.dim_value) for dim in tensor.shape.dim[1:])
    if not tensor.HasField("shape") or not tensor.shape.dim or min(shape, default=1) < 1:
        raise UserError(
            f"the {role} of {graph.name} has no fixed shape behind its batch",
            hint="export it with a fixed shape of one input",
        )
    linear = graph.quantizer(role)
    if linear is None:
        return TensorSpec(name=value.name, shape=shape, dtype="float32")
    codes = graph.codes(linear)
    if codes.dtype not in ("int8", "uint8"):
        raise UserError(
            f"the {role} of {graph.name} is quantized to {codes.dtype}",
            cause=f"{linear.op_type} {next(iter(linear.output))!r}; qbench takes int8 and uint8 codes there",
            hint="quantize it with 8-bit activations",
        )
    if codes.axis is not None:
        raise graph.refusal(linear, f"{len(codes.scales)} scales, where an end has one")
    return TensorSpec(
        name=value.name,
        shape=shape,
        dtype="int8" if codes.dtype == "int8" else "uint8",
        scale=float(codes.scales[0]),
        zero_point=int(codes.zero_points[0]),
    )


def _constant_tensors(graph: onnx.GraphProto) -> list[tuple[str, onnx.TensorProto]]:
    """By tensor name, initializers and the values of Constant nodes."""
    found = [(each.name, each) for each in graph.initializer]
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            found += [(node.output[0], value) for value in _constant_values(node)]
    return found


def _constant_values(node: onnx.NodeProto) -> list[onnx.TensorProto]:
    """The value of a Constant node, whatever attribute it stands in."""
    from onnx import numpy_helper

    for each in node.attribute:
        if each.name == "value":
            return [each.t]
        if each.name in ("value_float", "value_floats"):
            real: Any = each.f if each.name == "value_float" else list(each.floats)
            return [numpy_helper.from_array(np.array(real, np.float32))]
        if each.name in ("value_int", "value_ints"):
            whole: Any = each.i if each.name == "value_int" else list(each.ints)
            return [numpy_helper.from_array(np.array(whole, np.int64))]
    return []


def _attribute(node: onnx.NodeProto, name: str, otherwise: Any) -> Any:
    from onnx.helper import get_attribute_value

    return next((get_attribute_value(each) for each in node.attribute if each.name == name), otherwise)


def _type_name(number: int) -> str:
    """NumPy's name of an ONNX type; empty for none."""
    from onnx.helper import tensor_dtype_to_np_dtype

    try:
        return str(tensor_dtype_to_np_dtype(number).name) if number else ""
    except (KeyError, ValueError):
        return ""
