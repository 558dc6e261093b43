"""Rounding onto an input grid: ball, domain, and the counts of what was lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbench.artifacts import Preprocessing
from qbench.inputs import InputGrid
from qbench.quant import Quantization

PIXELS = InputGrid(Quantization(1.0, -128, "int8"), Preprocessing(scale=255.0))


def attacked(x, eps, norm, rng):
    """Inputs on the surface of the ball, in the domain."""
    delta = rng.choice([-1.0, 1.0], x.shape) if norm == "linf" else rng.standard_normal(x.shape)
    if norm == "l2":
        delta /= np.linalg.norm(delta.reshape(len(x), -1), axis=1).reshape(-1, 1, 1)
    return np.clip(x + eps * delta, 0, 1).astype(np.float32)


@settings(max_examples=150, deadline=None)
@given(
    scale=st.floats(1e-3, 4.0),
    zero_point=st.integers(-128, 127),
    unit=st.sampled_from([1.0, 2.0, 255.0]),
    eps=st.floats(1e-4, 0.5),
    norm=st.sampled_from(["linf", "l2"]),
    dtype=st.sampled_from(["int8", "uint8"]),
    seed=st.integers(0, 1000),
)
def test_rounded_inputs_stay_in_the_ball_and_between_the_codes_of_the_domain(
    scale, zero_point, unit, eps, norm, dtype, seed
):
    rng = np.random.default_rng(seed)
    zero_point += 128 if dtype == "uint8" else 0
    grid = InputGrid(Quantization(scale * unit / 100, zero_point, dtype), Preprocessing(scale=unit))
    x = rng.random((4, 5, 5), np.float32)
    x_adv = attacked(x, eps, norm, rng)
    found = grid.rounded(x_adv, x, eps, norm)
    clean = grid.codes(x)
    delta = (found.codes.astype(float) - clean).reshape(4, -1) * grid.quantization.scale / unit
    length = np.abs(delta).max(1) if norm == "linf" else np.linalg.norm(delta, axis=1)
    assert found.codes.dtype == dtype
    assert (length <= eps + 1e-4 * scale / 100).all()
    low, high = grid.codes(np.float32([0.0, 1.0]))
    assert (found.codes >= low).all()
    assert (found.codes <= high).all()
    np.testing.assert_array_equal(found.clamped, (found.codes != grid.codes(x_adv)).any(axis=(1, 2)))
    np.testing.assert_array_equal(found.erased, ~delta.any(axis=1) & (x_adv != x).any(axis=(1, 2)))


def test_less_than_half_a_grey_level_is_erased():
    x = np.float32([[0.2, 0.4], [0.2, 0.4], [0.2, 0.4]])
    x_adv = x + np.float32([[0.4], [0.6], [0.0]]) / 255
    found = PIXELS.rounded(x_adv, x, 0.6 / 255, "l2")
    np.testing.assert_array_equal(found.erased, [True, True, False])
    np.testing.assert_array_equal(found.clamped, [False, True, False])


def test_budgets_of_whole_grey_levels_survive():
    x = np.float32([[51, 102, 0, 255]]) / 255
    x_adv = np.clip(x + np.float32([[2, -2, -2, 2]]) / 255, 0, 1)
    found = PIXELS.rounded(x_adv, x, 2 / 255, "linf")
    np.testing.assert_array_equal(found.codes - PIXELS.codes(x), [[2, -2, 0, 0]])
    assert not found.clamped.any()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_values_are_what_the_codes_stand_for(norm):
    rng = np.random.default_rng(0)
    x = rng.random((3, 5, 5), np.float32)
    found = PIXELS.rounded(attacked(x, 0.1, norm, rng), x, 0.1, norm)
    values = PIXELS.values(found.codes)
    np.testing.assert_array_equal(PIXELS.codes(values), found.codes)
    np.testing.assert_allclose(values * 255 - 128, found.codes, atol=1e-4)
