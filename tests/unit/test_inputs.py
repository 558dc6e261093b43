"""Rounding onto an input grid: ball, domain, and the counts of what was lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbench import inputs
from qbench.artifacts import Preprocessing, TensorSpec
from qbench.errors import InternalFault
from qbench.inputs import InputGrid, InputPath
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
    dtype=st.sampled_from(["int8", "uint8", "int16"]),
    seed=st.integers(0, 1000),
)
def test_rounded_inputs_stay_in_the_ball_and_between_the_codes_of_the_domain(
    scale, zero_point, unit, eps, norm, dtype, seed
):
    rng = np.random.default_rng(seed)
    zero_point = {"int8": zero_point, "uint8": zero_point + 128, "int16": 0}[dtype]
    scale /= 256 if dtype == "int16" else 1
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


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_no_input_is_rounded_to_no_code(norm):
    none = np.empty((0, 2), np.float32)
    found = PIXELS.rounded(none, none, 0.1, norm)
    assert found.codes.shape == (0, 2)
    assert found.codes.dtype == np.int8


def test_a_ball_without_end_keeps_every_code():
    x, x_adv = np.float32([[0, 0.5]]), np.float32([[1, 0]])
    for norm in ("linf", "l2", "l1"):
        assert PIXELS.codes_near(x_adv, x, np.inf, norm).tolist() == [[127, -128]]


@pytest.mark.parametrize(("steps", "refused"), [(2, False), (3, True)])
def test_codes_outside_the_ball_are_a_fault_of_qbench(monkeypatch, steps, refused):
    """Whatever moves codes into the ball is not trusted: here it leaves them where the attack put them."""
    monkeypatch.setattr(inputs, "project_codes", lambda codes, *_, **__: codes)
    x = np.float32([[10, 20], [30, 40]]) / 255
    x_adv = x + np.float32([[0, 0], [0, steps]]) / 255
    if refused:
        with pytest.raises(
            InternalFault, match=r"^rounding left the eps-ball: 3\.0 codes where 2\.0\d* are allowed$"
        ):
            PIXELS.rounded(x_adv, x, 2 / 255, "linf")
    else:
        assert (PIXELS.rounded(x_adv, x, 2 / 255, "linf").codes - PIXELS.codes(x)).tolist() == [
            [0, 0],
            [0, 2],
        ]


def test_a_budget_in_codes_knows_scale_and_sign_of_the_preprocessing():
    """Inverted pixels: one step of the domain is 50 of the network's, a code is 5 of those."""
    grid = InputGrid(Quantization(5.0, 0, "int8"), Preprocessing(scale=-50.0, offset=25.0))
    x = np.float32([[0.5, 0.5, 0.5]])
    x_adv = np.float32([[0.0, 1.0, 0.7]])
    assert grid.codes(x_adv).tolist() == [[5, -5, -2]]
    assert grid.codes_near(x_adv, x, 0.3, "linf").tolist() == [[3, -3, -2]]
    np.testing.assert_allclose(grid.values(np.int8([[3, -3, -2]])), [[0.2, 0.8, 0.7]], rtol=1e-6)


def test_codes_go_to_the_nearest_of_the_inputs_not_of_their_codes():
    """Both elements are at one code; the budget is for one, and the second was nearer to it."""
    x = np.zeros((1, 2), np.float32)
    x_adv = np.float32([[0.6, 1.4]]) / 255
    for norm in ("l2", "l1"):
        found = PIXELS.rounded(x_adv, x, 1 / 255, norm)
        assert (found.codes - PIXELS.codes(x)).tolist() == [[0, 1]]


X, X_ADV = np.float32([[51, 102]]) / 255, np.float32([[60, 95.2]]) / 255
EPS, NORM = 5 / 255, "linf"
SCALED = Preprocessing(scale=255.0)
INT8 = TensorSpec(name="x", shape=(2,), dtype="int8", scale=1.0, zero_point=-128)
FLOAT32 = TensorSpec(name="x", shape=(2,), dtype="float32")


def test_an_int8_tensor_takes_codes():
    path = InputPath.to(INT8, INT8.quantization, SCALED)
    assert path.feed(X_ADV).tolist() == [[60 - 128, 95 - 128]]
    assert path.feed_near(X_ADV, X, EPS, NORM).tolist() == [[56 - 128, 97 - 128]]
    assert path.feed(X).dtype == path.feed_near(X_ADV, X, EPS, NORM).dtype == np.int8
    np.testing.assert_allclose(path.seen(X_ADV, X, EPS, NORM) * 255, [[56, 97]], rtol=1e-6)


def test_a_float32_tensor_before_a_grid_takes_the_values_of_codes():
    path = InputPath.to(FLOAT32, INT8.quantization, SCALED)
    assert path.feed(X_ADV).tolist() == [[60, 95]]
    assert path.feed_near(X_ADV, X, EPS, NORM).tolist() == [[56, 97]]
    assert path.feed(X).dtype == path.feed_near(X_ADV, X, EPS, NORM).dtype == np.float32
    np.testing.assert_allclose(path.seen(X_ADV, X, EPS, NORM) * 255, [[56, 97]], rtol=1e-6)


def test_a_float32_network_takes_the_inputs_as_they_are():
    path = InputPath.to(FLOAT32, None, SCALED)
    assert path.grid is None
    for found in (path.feed(X_ADV), path.feed_near(X_ADV, X, EPS, NORM)):
        np.testing.assert_allclose(found, [[60, 95.2]], rtol=1e-6)
    assert path.seen(X_ADV, X, EPS, NORM) is X_ADV
    assert path.taken(X_ADV) is X_ADV


def test_the_norm_of_a_path_is_that_of_its_ball():
    path = InputPath.to(INT8, INT8.quantization, SCALED)
    assert path.feed_near(X_ADV, X, EPS, "l1").tolist() == [[55 - 128, 101 - 128]]
    np.testing.assert_allclose(path.seen(X_ADV, X, EPS, "l1") * 255, [[55, 101]], rtol=1e-6)
