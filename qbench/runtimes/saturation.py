"""Whether ONNX Runtime's int8 kernels are exact on this machine: a small network whose answer is known.

On x86 with AVX2 but without VNNI they add pairs of products in 16 bits (VPMADDUBSW), which saturates beyond
32,767; ONNX Runtime's documentation of quantization advises `reduce_range` or U8U8 for it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

# Long enough for every kernel's inner loop, and for vectors of any width.
_LENGTH, _OUTPUTS = 128, 16
# Every product is 127 * 127 or its negative; the scales make a sum of them a code.
_SCALE = np.float32(127 * 127)


@cache
def saturates(*, precise: bool) -> bool:
    """Whether sums of int8 products come out wrong on this machine.

    Args:
        precise: with `session.x64quantprecision`, which asks for exact kernels.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(
        _probe(), session_options(precise=precise), providers=["CPUExecutionProvider"]
    )
    signs = _signs()
    codes = np.full((1, _LENGTH), 127, np.float32)
    (found,) = session.run(None, {"x": codes})
    wanted = np.clip(signs.astype(int).sum(axis=0), -128, 127)
    return bool((found[0] != wanted * _SCALE).any())


def session_options(*, precise: bool) -> Any:
    """One thread, few words, and exact kernels if asked for."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if precise:
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def _signs() -> Any:
    """[length, outputs] of +-1, column k with k more pairs of -1: sums from 128 down, in even steps."""
    signs = np.ones((_LENGTH, _OUTPUTS), np.int8)
    for column in range(_OUTPUTS):
        signs[: 2 * column, column] = -1
    return signs


def _probe() -> bytes:
    """Y = x W in QDQ form, with int8 codes throughout."""
    from onnx import TensorProto, helper, numpy_helper

    one, zero = np.float32(1), np.int8(0)
    constants = {"one": one, "zero": zero, "scale": _SCALE, "weights": np.int8(127) * _signs()}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "one", "zero"], ["xr"]),
        helper.make_node("DequantizeLinear", ["weights", "one", "zero"], ["wr"]),
        helper.make_node("MatMul", ["xr", "wr"], ["m"]),
        helper.make_node("QuantizeLinear", ["m", "scale", "zero"], ["yq"]),
        helper.make_node("DequantizeLinear", ["yq", "scale", "zero"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "saturation",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, _LENGTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, _OUTPUTS])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
