"""Every operator of the firmware, element by element against other runtimes' reference kernels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.random_models.builder import ModelBuilder
from tests.random_models.cases import GENERATORS, SAMPLES, Case, draw
from tests.random_models.oracles import ORACLES, Refused, host

CASES = 100

# LiteRT from 1.4 on rounds these once, not twice (docs/operators.md): here TFLite Micro is the reference.
ROUNDED_ONCE_BY_LITERT = {
    "fully_connected",
    "fully_connected_per_channel",
    "fully_connected_int16",
    "fully_connected_per_channel_int16",
}


def _equal(case: Case, oracle: str) -> bool:
    wanted, found = ORACLES[oracle](case), host(case)
    return all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))


@pytest.mark.parametrize("operator", GENERATORS)
def test_equals_the_reference(operator: str) -> None:
    oracle = "tflm" if operator in ROUNDED_ONCE_BY_LITERT else "litert-ref"
    if oracle == "tflm":
        pytest.importorskip("tflite_micro")
    wrong = [seed for seed in range(CASES) if not _equal(draw(operator, seed), oracle)]
    assert wrong == []


@pytest.mark.parametrize(
    "operator", ["conv_2d", "depthwise_conv_2d", "mean", "add", "sub", "mul", "hard_swish"]
)
def test_tflite_micro_agrees(operator: str) -> None:
    pytest.importorskip("tflite_micro")
    wrong = [seed for seed in range(CASES // 4) if not _equal(draw(operator, seed), "tflm")]
    assert wrong == []


@pytest.mark.parametrize("operator", sorted(ROUNDED_ONCE_BY_LITERT))
def test_rounding_once_moves_a_code_by_one(operator: str) -> None:
    apart = []
    for seed in range(CASES):
        case = draw(operator, seed)
        (once,), (twice,) = ORACLES["litert-ref"](case), host(case)
        apart.append(int(np.abs(once.astype(int) - twice).max()))
    assert max(apart) == 1


@pytest.mark.parametrize("operator", ["conv_2d", "softmax", "reshape"])
def test_runs_do_not_depend_on_those_before(operator: str) -> None:
    case = draw(operator, 0)
    backwards = Case(operator, 0, case.model, tuple(x[::-1] for x in case.inputs))
    for ahead, back in zip(host(case), host(backwards), strict=True):
        assert len(ahead) == SAMPLES
        assert np.array_equal(ahead, back[::-1])


def _rescale(operator: str, options: str | None, exponent: int, **settings: float) -> Case:
    """All codes through an operator whose scales are 2^exponent apart, give or take a third."""
    low, high = min(exponent, 0), max(exponent, 0)
    m = ModelBuilder()
    x = m.tensor((1, 256), scale=1.37 * 2.0**low, zero_point=3)
    y = m.tensor((1, 256), scale=2.0**-high, zero_point=-5)
    m.operator(operator, [x], [y], options, **settings)
    return Case(
        operator, exponent, m.build([x], [y]), (np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 256),)
    )


@pytest.mark.parametrize(
    ("operator", "options", "settings"),
    [
        ("RELU", None, {}),
        ("QUANTIZE", "QuantizeOptions", {}),
        ("LEAKY_RELU", "LeakyReluOptions", {"alpha": 0.3}),
    ],
)
def test_shifts_of_every_size(operator: str, options: str | None, settings: dict[str, float]) -> None:
    wrong = [
        e for e in range(-45, 31) if not _equal(_rescale(operator, options, e, **settings), "litert-ref")
    ]
    assert wrong == []


def test_a_shift_that_no_register_holds_is_refused() -> None:
    with pytest.raises(Refused, match="a scale is out of range"):
        host(_rescale("RELU", None, 32))


def test_a_draw_is_repeatable() -> None:
    assert draw("conv_2d", 3).model == draw("conv_2d", 3).model
    assert draw("conv_2d", 3).model != draw("conv_2d", 4).model


def test_an_output_scale_too_fine_for_a_sum_is_refused() -> None:
    m = ModelBuilder()
    a, b, y = m.tensor((4,), scale=1.0), m.tensor((4,), scale=1.0), m.tensor((4,), scale=1e-7)
    m.operator("ADD", [a, b], [y], "AddOptions", version=2)
    codes = np.zeros((1, 4), np.int8)
    with pytest.raises(Refused, match="output's scale is too small"):
        host(Case("add", 0, m.build([a, b], [y]), (codes, codes)))


def test_an_extremum_of_another_scale_is_refused() -> None:
    m = ModelBuilder()
    a, b, y = m.tensor((4,), scale=1.0), m.tensor((4,), scale=2.0), m.tensor((4,), scale=1.0)
    m.operator("MAXIMUM", [a, b], [y], "MaximumMinimumOptions", version=2)
    codes = np.zeros((1, 4), np.int8)
    with pytest.raises(Refused, match="the output's scale and zero point"):
        host(Case("maximum", 0, m.build([a, b], [y]), (codes, codes)))


@pytest.mark.parametrize(
    ("named", "shape", "reason"),
    [
        ([1], (1, 4), "is not of size 1"),
        ([3], (1, 4), "is not there"),
        ([0], (1, 4), "shape is not the one asked for"),
        ([], (1, 4), "shape is not the one asked for"),
    ],
)
def test_a_squeeze_that_does_not_fit_is_refused(
    named: list[int], shape: tuple[int, ...], reason: str
) -> None:
    m = ModelBuilder()
    x, y = m.tensor((1, 4, 1), scale=1.0), m.tensor(shape, scale=1.0)
    m.operator("SQUEEZE", [x], [y], "SqueezeOptions", squeezeDims=np.array(named, np.int32))
    with pytest.raises(Refused, match=reason):
        host(Case("squeeze", 0, m.build([x], [y]), (np.zeros((1, 1, 4, 1), np.int8),)))


@pytest.mark.parametrize(("axis", "shape"), [(3, (4, 2, 1)), (0, (4, 1, 2)), (1, (4, 2))])
def test_an_expansion_that_does_not_fit_is_refused(axis: int, shape: tuple[int, ...]) -> None:
    m = ModelBuilder()
    x, y = m.tensor((4, 2), scale=1.0), m.tensor(shape, scale=1.0)
    m.operator("EXPAND_DIMS", [x, m.constant(np.array(axis, np.int32))], [y], "ExpandDimsOptions")
    with pytest.raises(Refused, match="axis or the output's shape does not fit"):
        host(Case("expand_dims", 0, m.build([x], [y]), (np.zeros((1, 4, 2), np.int8),)))
