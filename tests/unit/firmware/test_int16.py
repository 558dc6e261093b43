"""16-bit activations on the firmware: every code, known sums, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from qbench.runtimes.hostlib import HostModel
from tests.golden.builder import ModelBuilder
from tests.golden.cases import Case
from tests.golden.oracles import Refused, host, litert_ref

UNIT = 1 / 32768
EVERY_CODE = np.arange(-32768, 32768, dtype=np.int16).reshape(1, 1, -1)
INT32 = 2


def _unary(
    name: str, options: str | None, scale: float, out: float, dtypes: tuple[str, str], **settings: Any
) -> Case:
    """One operator on every code of 16 bits, or on all that float32 makes of them."""
    m = ModelBuilder()
    values = EVERY_CODE if dtypes[0] == "int16" else (EVERY_CODE * np.float32(scale * 1.3))
    x = m.tensor((1, 65536), dtypes[0], scale if dtypes[0] == "int16" else None)
    y = m.tensor((1, 65536), dtypes[1], out if dtypes[1] != "float32" else None)
    m.operator(name, [x], [y], options, **settings)
    return Case(name, 0, m.build([x], [y]), (values,))


@pytest.mark.parametrize("scale", [1 / 4096, 1 / 2048, 1 / 8192, 3e-4, 1e-5, 2e-2])
@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
def test_every_code_through_a_sigmoid(name: str, scale: float) -> None:
    case = _unary(name, None, scale, UNIT, ("int16", "int16"))
    (found,) = host(case)
    assert np.array_equal(found, litert_ref(case)[0])
    real = EVERY_CODE.astype(np.float64) * scale
    wanted = np.tanh(real) if name == "TANH" else 1 / (1 + np.exp(-real))
    assert np.abs(found * UNIT - wanted).max() < 4 * UNIT


@pytest.mark.parametrize(
    ("name", "options", "dtypes", "settings"),
    [
        ("RELU", None, ("int16", "int16"), {}),
        ("RELU6", None, ("int16", "int16"), {}),
        ("LEAKY_RELU", "LeakyReluOptions", ("int16", "int16"), {"alpha": -0.3}),
        ("QUANTIZE", "QuantizeOptions", ("int16", "int8"), {}),
        ("QUANTIZE", "QuantizeOptions", ("float32", "int16"), {}),
        ("DEQUANTIZE", "DequantizeOptions", ("int16", "float32"), {}),
    ],
)
def test_every_code(
    name: str, options: str | None, dtypes: tuple[str, str], settings: dict[str, Any]
) -> None:
    out = 0.03 if dtypes[1] == "int8" else 7e-4
    case = _unary(name, options, 5e-4, out, dtypes, **settings)
    assert np.array_equal(host(case)[0], litert_ref(case)[0])


def test_int8_to_int16() -> None:
    m = ModelBuilder()
    x, y = m.tensor((1, 256), "int8", 0.1, 7), m.tensor((1, 256), "int16", 0.1 / 256)
    m.operator("QUANTIZE", [x], [y], "QuantizeOptions", version=2)
    codes = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, -1)
    (found,) = host(Case("quantize", 0, m.build([x], [y]), (codes,)))
    assert np.array_equal(found, np.maximum((codes.astype(int) - 7) * 256, -32768))


def _dense(
    bias: NDArray[Any] | None, depth: int = 4096, out: float = 2.0**-3, bias_type: int = 0, weight: int = 127
) -> bytes:
    m = ModelBuilder()
    x, y = m.tensor((1, depth), "int16", 2.0**-15), m.tensor((1, 1), "int16", out)
    weights = m.constant(np.full((1, depth), weight, np.int8), 2.0**-7)
    operands = [x, weights] if bias is None else [x, weights, m.constant(bias, 2.0**-22)]
    m.operator(
        *("FULLY_CONNECTED", operands, [y], "FullyConnectedOptions"), version=4, quantizedBiasType=bias_type
    )
    return m.build([x], [y])


def test_sums_beyond_32_bits_are_exact() -> None:
    largest = np.full((1, 1, 4096), 32767, np.int16)
    bias = np.array([1 << 40], np.int64)
    (found,) = host(Case("dense", 0, _dense(bias, out=2.0**4), (largest,)))
    total = 4096 * 32767 * 127 + (1 << 40)
    assert total > 1 << 39
    assert found[0, 0, 0] == round(total * 2.0**-26)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (_dense(np.array([0], np.int32)), "the bias must be constant int64"),
        (_dense(np.array([0], np.int64), bias_type=INT32), "the bias must be constant int32"),
        (_dense(None, bias_type=INT32), "sums of 32 bits need a bias"),
        (_dense(np.array([1 << 46], np.int64)), "a bias has more than 46 bits"),
        (_dense(None, out=2.0**-30), "a scale is out of range"),
    ],
)
def test_sums_that_are_refused(model: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        host(Case("dense", 0, model, (np.zeros((1, 1, 4096), np.int16),)))


def _sum(zero_point: int, scales: tuple[float, float, float], dtype: str = "int16") -> bytes:
    m = ModelBuilder()
    a = m.tensor((1, 4), "int16", scales[0], zero_point)
    b, y = m.tensor((1, 4), dtype, scales[1]), m.tensor((1, 4), "int16", scales[2])
    m.operator("ADD", [a, b], [y], "AddOptions", version=2)
    return m.build([a, b], [y])


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (_sum(0, (2.0**-12, 2.0**-10, 2.0**-10)), "16-bit operands of power-of-two scales"),
        (_sum(3, (0.1, 0.1, 0.2)), "all int16 with zero point 0"),
        (_sum(0, (0.1, 0.1, 0.2), "int8"), "must be int8, or all int16"),
    ],
)
def test_sums_of_operands_that_are_refused(model: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        host(Case("add", 0, model, ()))


def test_one_scale_that_is_no_power_of_two_makes_a_sum_general() -> None:
    rng = np.random.default_rng(0)
    codes = tuple(rng.integers(-32768, 32768, (4, 1, 4)).astype(np.int16) for _ in range(2))
    case = Case("add", 0, _sum(0, (2.0**-12, 2.0**-10, 0.0013)), codes)
    assert np.array_equal(host(case)[0], litert_ref(case)[0])


def test_arena_holds_two_bytes_an_element() -> None:
    def arena(dtype: str) -> int:
        m = ModelBuilder()
        x, y = m.tensor((1, 64, 64, 1), dtype, 0.1), m.tensor((1, 32, 32, 1), dtype, 0.1)
        m.operator(
            *("MAX_POOL_2D", [x], [y], "Pool2DOptions"),
            version=2,
            strideH=2,
            strideW=2,
            filterHeight=2,
            filterWidth=2,
            padding=1,
        )
        return HostModel(m.build([x], [y])).arena

    assert arena("int16") - arena("int8") == 64 * 64 + 32 * 32


def test_softmax_at_every_distance() -> None:
    """Of pairs, where each entry of both tables shows."""
    m = ModelBuilder()
    scale = 10 / 65535  # a code is a unit of the table of exponentials
    x, y = m.tensor((65536, 2), "int16", scale), m.tensor((65536, 2), "int16", UNIT)
    m.operator("SOFTMAX", [x], [y], "SoftmaxOptions", version=3, beta=1.0)
    other = np.arange(32767, -32769, -1, dtype=np.int16)
    pairs = np.stack([np.full_like(other, 32767), other], 1)[None]
    case = Case("softmax", 0, m.build([x], [y]), (pairs,))
    (found,) = host(case)
    assert np.array_equal(found, litert_ref(case)[0])
    wanted = 1 / (1 + np.exp((other.astype(np.float64) - 32767) * scale))
    assert np.abs(found[0, :, 0] * UNIT - wanted).max() < 4 * UNIT
