import numpy as np
import pytest
import tensorflow as tf

from qbench.attacks.losses import dlr, finite_only, margin, soft_margin, targeted_dlr

LOGITS = np.array([[5.0, 3.0, 1.0, 0.0], [2.0, 7.0, 4.0, 1.0]], np.float32)
Y = np.array([0, 2])


def test_margin_is_positive_where_misclassified():
    assert margin(LOGITS, Y).numpy().tolist() == [-2.0, 3.0]


def test_dlr_by_hand():
    # (best wrong - true) / (first - third)
    assert np.allclose(dlr(LOGITS, Y), [-2 / 4, 3 / 5])


def test_targeted_dlr_by_hand():
    # (target - true) / (first - mean of third and fourth)
    assert np.allclose(targeted_dlr(LOGITS, Y, np.array([3, 0])), [-5 / 4.5, -2 / 5.5])


@pytest.mark.parametrize("loss", [dlr, lambda z, y: targeted_dlr(z, y, np.array([1, 1]))])
def test_dlr_sees_neither_shift_nor_scale(loss):
    assert np.allclose(loss(LOGITS, Y), loss(LOGITS * 30 + 7, Y))


@pytest.mark.parametrize("loss", [soft_margin, margin, dlr, lambda z, y: targeted_dlr(z, y, y[::-1])])
def test_equal_logits_have_a_finite_loss_and_gradient(loss):
    z = tf.zeros((2, 4))
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = loss(z, Y)
    assert np.all(np.isfinite(value))
    assert np.all(np.isfinite(tape.gradient(value, z)))


def test_the_soft_margin_rises_with_the_cross_entropy_and_points_the_same_way():
    z, y = tf.constant(LOGITS), tf.constant(Y)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(z)
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=z)
        soft = soft_margin(z, y)
    assert np.allclose(np.log1p(np.exp(soft)), entropy)
    slopes, others = tape.gradient(soft, z).numpy(), tape.gradient(entropy, z).numpy()
    wrong_odds = 1 - tf.nn.softmax(z).numpy()[np.arange(2), Y]
    assert np.allclose(slopes * wrong_odds[:, None], others, atol=1e-6)


def test_the_soft_margin_is_the_margin_where_the_cross_entropy_has_vanished():
    z, y = tf.constant(LOGITS * 1000), tf.constant([0, 1])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(z)
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=z)
        soft = soft_margin(z, y)
    assert not tape.gradient(entropy, z).numpy().any()
    assert np.array_equal(soft, margin(z, y))
    assert tape.gradient(soft, z).numpy().tolist() == [[-1, 1, 0, 0], [0, -1, 1, 0]]


def test_what_is_not_finite_counts_as_zero():
    assert finite_only(tf.constant([1.0, np.nan, -np.inf, np.inf])).numpy().tolist() == [1, 0, 0, 0]
