"""A Keras network into ONNX graphs: float32, and int8 in QDQ form."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError

if TYPE_CHECKING:
    import keras
    import onnx

# The newest operator set that ONNX Runtime's quantizer, tf2onnx and older edge runtimes all know.
_OPSET = 17
_CALIBRATION_BATCH = 16


def to_float_onnx(model: keras.Model) -> bytes:
    """The network in float32, taking [batch, *shape] as `input` and giving [batch, classes] as `output`.

    Raises:
        UserError: an operator has no form in ONNX.
    """
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32, name="input")]
    forward = tf.function(lambda x: model(x, training=False), input_signature=signature)
    with _quiet():
        try:
            with _inline_functions():
                forward.get_concrete_function()
            graph, _ = tf2onnx.convert.from_function(forward, input_signature=signature, opset=_OPSET)
        except (ValueError, RuntimeError, NotImplementedError) as error:
            raise UserError(
                "the network cannot be converted to ONNX", cause=str(error).splitlines()[0]
            ) from error
    _check_operators(graph)
    return _repeatable(graph)


@contextmanager
def _inline_functions() -> Iterator[None]:
    """Trace functions within the network into it: Keras compiles a grouped convolution on its own."""
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def _check_operators(model: onnx.ModelProto) -> None:
    """Refuse what the converter left in TensorFlow's own form."""
    from onnx import defs

    for node in model.graph.node:
        if not defs.has(node.op_type, node.domain):
            raise UserError(
                "the network cannot be converted to ONNX",
                cause=f"its operator {node.op_type} ({node.name}) has no form there",
            )


def to_int8_onnx(content: bytes, samples: NDArray[np.float32]) -> bytes:
    """A float32 graph with QuantizeLinear and DequantizeLinear around every operator.

    int8 activations with one scale a tensor, int8 weights with one scale an output channel, ranges by the
    least and greatest value of the samples, by ONNX Runtime's own quantizer.

    Args:
        content: what `to_float_onnx` returned.
        samples: [n, *shape] float32 in the network's own unit.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Samples(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            parts = range(0, len(samples), _CALIBRATION_BATCH)
            self.batches = iter({"input": samples[i : i + _CALIBRATION_BATCH]} for i in parts)

        def get_next(self) -> Any:
            return next(self.batches, None)

    with tempfile.TemporaryDirectory() as folder, _quiet():
        source, prepared, target = (Path(folder) / name for name in ("a.onnx", "b.onnx", "c.onnx"))
        source.write_bytes(content)
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            Samples(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()


def _repeatable(model: onnx.ModelProto) -> bytes:
    """The graph with names by position: tf2onnx numbers them in an order that changes from run to run."""
    graph = model.graph
    names = {graph.input[0].name: "input", graph.output[0].name: "output", "": ""}
    for node in graph.node:
        for tensor in (*node.input, *node.output):
            names.setdefault(tensor, f"tensor_{len(names)}")
    for i, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{i}"
        node.input[:] = [names[tensor] for tensor in node.input]
        node.output[:] = [names[tensor] for tensor in node.output]
    for each in (*graph.input, *graph.output, *graph.initializer):
        each.name = names[each.name]
    weights = sorted(graph.initializer, key=lambda each: each.name)
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(weights)
    graph.name = "network"
    graph.doc_string = model.doc_string = ""
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return bytes(model.SerializeToString(deterministic=True))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the converters' remarks off the log."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
