import numpy as np
import pytest
import tensorflow as tf

from qbench.attacks.losses import cross_entropy, dlr, margin, targeted_dlr

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


@pytest.mark.parametrize("loss", [cross_entropy, margin, dlr, lambda z, y: targeted_dlr(z, y, y[::-1])])
def test_equal_logits_have_a_finite_loss_and_gradient(loss):
    z = tf.zeros((2, 4))
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = loss(z, Y)
    assert np.all(np.isfinite(value))
    assert np.all(np.isfinite(tape.gradient(value, z)))
