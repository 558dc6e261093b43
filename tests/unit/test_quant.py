import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qbench.quant import Quantization, project_codes, round_half_away


def test_ties_round_away_from_zero():
    ties = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    assert round_half_away(ties).tolist() == [-3, -2, -1, 1, 2, 3]


def test_quantize_saturates_at_both_ends():
    q = Quantization(0.5, 3, "int8")
    assert q.quantize(np.array([-1e9, 1e9, 0.0])).tolist() == [-128, 127, 3]
    assert Quantization(1.0, 0, "uint8").quantize(np.array([-5.0, 300.0])).tolist() == [0, 255]


@given(
    scale=st.floats(2**-12, 8, width=32),
    zero_point=st.integers(-128, 127),
    codes=arrays(np.int8, 16),
)
def test_every_code_survives_the_round_trip(scale, zero_point, codes):
    q = Quantization(scale, zero_point, "int8")
    assert np.array_equal(q.quantize(q.dequantize(codes)), codes)


@given(arrays(np.int8, (3, 8)), arrays(np.int8, (3, 8)), st.floats(0, 40))
def test_linf_projection_stays_in_the_ball_and_on_the_clean_side(codes, clean, eps):
    inside = project_codes(codes, clean, eps_in_codes=eps, norm="linf")
    delta = inside.astype(int) - clean.astype(int)
    wanted = codes.astype(int) - clean.astype(int)
    assert np.abs(delta).max() <= eps + 1e-5
    assert np.all(np.abs(delta) <= np.abs(wanted))
    assert np.all(delta * wanted >= 0)


@given(arrays(np.int8, (3, 8)), arrays(np.int8, (3, 8)), st.floats(0, 400))
def test_l2_projection_stays_in_the_ball_and_keeps_what_is_inside(codes, clean, eps):
    inside = project_codes(codes, clean, eps_in_codes=eps, norm="l2")
    length = np.linalg.norm(inside.astype(float) - clean, axis=1)
    before = np.linalg.norm(codes.astype(float) - clean, axis=1)
    assert np.all(length <= eps + 1e-5)
    kept = before <= eps
    assert np.array_equal(inside[kept], codes[kept])


@pytest.mark.parametrize(("eps", "levels"), [(2 / 255, 2), (1 / 255, 1), (0.99 / 255, 0), (8 / 255, 8)])
def test_budgets_that_are_whole_levels_lose_none_to_float_division(eps, levels):
    step = float(np.float32(1 / 255))
    clean = np.zeros((1, 4), np.int8)
    moved = project_codes(clean + 100, clean, eps_in_codes=eps / step, norm="linf")
    assert moved.tolist() == [[levels] * 4]
