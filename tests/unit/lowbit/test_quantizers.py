import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from qbench.lowbit import activations, weights
from qbench.lowbit.rounding import round_ste

KERNELS = arrays.arrays(np.float32, (3, 3, 2, 4), elements=st.floats(-4, 4, width=16))
KINDS = (weights.DorefaWeights, weights.DorefaMaxWeights, weights.LearnedStepWeights)
EVERY = [(kind, bits) for kind in KINDS for bits in range(2, 9)] + [
    (weights.LearnedStepWeights, 1),
    (weights.SignWeights, 1),
    (weights.ScaledSignWeights, 1),
]


def made(kind, bits, w):
    quantizer = kind(bits)
    quantizer.build(keras.layers.Layer())
    quantizer.fit(w)
    return quantizer


def gradient(function, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(function(x))
    return tape.gradient(y, x).numpy()


@pytest.mark.parametrize(("kind", "bits"), EVERY)
@settings(max_examples=10, deadline=None)
@given(w=KERNELS)
def test_weights_are_whole_levels_that_int8_holds(kind, bits, w):
    w[0, 0, 0, 0] = 1  # not all zero
    quantizer = made(kind, bits, w)
    levels = quantizer.levels(tf.constant(w)).numpy()
    assert np.array_equal(levels, np.round(levels))
    assert np.abs(levels).max() <= quantizer.largest <= 127
    assert len(np.unique(levels)) <= 2**bits
    scale = quantizer.scale(tf.constant(w)).numpy()
    assert np.array_equal(quantizer(tf.constant(w)).numpy(), scale * levels)


@pytest.mark.parametrize("bits", range(2, 8))
def test_dorefa_is_the_studys_formula(bits):
    w = np.linspace(-3, 3, 1001, dtype=np.float32)
    n = 2**bits - 1
    q = np.round(n * np.clip(np.tanh(w) / 2 + 0.5, 0, 1)) / n
    assert np.allclose(weights.DorefaWeights(bits)(w), 2 * q - 1, atol=1e-6)
    top = np.abs(np.tanh(w)).max()
    q = np.round(n * (np.tanh(w) / (2 * top) + 0.5)) / n
    assert np.allclose(weights.DorefaMaxWeights(bits)(w), 2 * q - 1, atol=1e-6)


def test_the_gradient_of_dorefa_is_that_of_its_smooth_part():
    w = np.linspace(-2, 2, 9, dtype=np.float32)
    assert np.allclose(gradient(weights.DorefaWeights(2), w), 1 - np.tanh(w) ** 2, atol=1e-6)


def test_signs_and_their_gradients():
    w = np.array([-1.5, -1, -0.25, 0, 0.5, 1.25], np.float32)
    plain, scaled = weights.SignWeights(), weights.ScaledSignWeights()
    assert plain(w).numpy().tolist() == [-1, -1, -1, 1, 1, 1]
    assert gradient(plain, w).tolist() == [0, 1, 1, 1, 1, 0]
    assert np.allclose(scaled(w), 0.75 * np.sign([-1, -1, -1, 1, 1, 1]))
    assert np.allclose(gradient(scaled, w), 1)
    assert np.array_equal(plain.constraint(w), np.clip(w, -1, 1))


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_the_learned_step_has_the_papers_gradients(bits):
    rng = np.random.default_rng(bits)
    w = rng.normal(size=200).astype(np.float32)
    quantizer = made(weights.LearnedStepWeights, bits, w)
    high, low = 2 ** (bits - 1) - 1, max(-(2 ** (bits - 1)), -127)
    step = 2 * np.abs(w).mean() / np.sqrt(high)
    assert quantizer.scale(tf.constant(w)).numpy() == pytest.approx(step, rel=1e-5)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(quantizer(tf.constant(w)))
    v = w / step
    inside = (v > low) & (v < high)
    each = np.where(inside, np.round(v) - v, np.where(v >= high, high, low))  # eq. 3
    expected = each.sum() / np.sqrt(w.size * high)
    assert tape.gradient(y, quantizer.step.value).numpy() == pytest.approx(expected, rel=1e-3)
    assert np.allclose(gradient(quantizer, w), inside)


@pytest.mark.parametrize("bits", range(1, 9))
def test_unit_levels_are_the_papers_formula(bits):
    x = np.linspace(-0.5, 1.5, 1000, dtype=np.float32)
    n = 2**bits - 1
    quantizer = activations.UnitLevels(bits)
    quantizer.build(keras.layers.Layer(), 1)
    assert np.allclose(quantizer(x, training=False), np.floor(np.clip(x, 0, 1) * n + 0.5) / n)
    assert np.array_equal(gradient(lambda t: quantizer(t, training=False), x), (x >= 0) & (x <= 1))
    assert quantizer.grid == (1 / n, 0, n)


def test_the_sign_of_activations_passes_gradients_within_one():
    quantizer = activations.SignActivation()
    x = np.array([-2, -1, -0.1, 0, 0.9, 1.1], np.float32)
    assert quantizer(x, training=False).numpy().tolist() == [-1, -1, -1, 1, 1, 1]
    assert gradient(lambda t: quantizer(t, training=False), x).tolist() == [0, 1, 1, 1, 1, 0]


def test_the_first_batch_sets_the_learned_step_and_later_ones_do_not():
    layer, quantizer = keras.layers.Layer(), activations.LearnedStepActivation(2)
    quantizer.build(layer, 5)
    first = np.abs(np.random.default_rng(0).normal(size=(8, 5))).astype(np.float32)
    quantizer(first, training=True)
    assert quantizer.grid.step == pytest.approx(2 * first.mean() / np.sqrt(3), rel=1e-5)
    before = quantizer.grid
    quantizer(9 * first, training=True)
    assert quantizer.grid == before


def test_the_range_moves_slowly_towards_what_is_seen():
    quantizer = activations.MovingRange()
    quantizer.build(keras.layers.Layer(), 1)
    quantizer(np.array([[-2.0], [1.0]], np.float32), training=True)
    assert quantizer.grid.step == pytest.approx(2 / 126.7)
    quantizer(np.array([[4.0]], np.float32), training=True)
    assert quantizer.grid.step == pytest.approx(2.02 / 126.7)
    quantizer(np.array([[400.0]], np.float32), training=False)
    assert quantizer.grid.step == pytest.approx(2.02 / 126.7)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 255), (-1, 1)])
def test_the_input_grid_holds_every_pixel_apart(low, high):
    pixels = (low + (high - low) * np.arange(256) / 255).astype(np.float32)
    held = activations.FixedRange(low, high)(pixels, training=False).numpy()
    assert len(np.unique(held)) >= 255
    assert np.abs(held - pixels).max() <= 0.51 * (high - low) / 255
    if low == 0:
        assert np.allclose(held, pixels, rtol=1e-6)


def test_ties_round_away_from_zero_as_in_the_kernels():
    assert round_ste(tf.constant([-1.5, -0.5, 0.5, 1.5, 2.5])).numpy().tolist() == [-2, -1, 1, 2, 3]
