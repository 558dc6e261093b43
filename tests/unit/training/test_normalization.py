import keras
import numpy as np
import tensorflow as tf

from qbench.training.normalization import gather_statistics


def network():
    inputs = keras.Input((3,))
    x = keras.layers.BatchNormalization(momentum=0.9)(inputs)
    return keras.Model(inputs, keras.layers.BatchNormalization()(keras.layers.ReLU()(x)))


def test_the_statistics_are_averages_over_batches():
    x = np.random.default_rng(0).normal(3, 2, (40, 3)).astype(np.float32)
    batches = tf.data.Dataset.from_tensor_slices((x, np.zeros(40))).batch(8)
    model = network()
    gather_statistics(model, batches)
    first, second = (each for each in model.layers if isinstance(each, keras.layers.BatchNormalization))
    parts = x.reshape(5, 8, 3)
    assert np.allclose(first.moving_mean, parts.mean((0, 1)), atol=1e-5)
    assert np.allclose(first.moving_variance, parts.var(1).mean(0), rtol=1e-5)
    assert 0.3 < np.mean(second.moving_mean) < 0.5  # of a rectified standard normal: 0.4
    assert (first.momentum, second.momentum) == (0.9, 0.99)
    before = model.get_weights()
    gather_statistics(model, batches)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_they_are_of_what_the_network_was_trained_on():
    x = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
    batches = tf.data.Dataset.from_tensor_slices((x, np.ones(16, np.float32))).batch(8)
    model = network()
    gather_statistics(model, batches, lambda x, y: x + 5 * y[:, tf.newaxis])
    assert np.allclose(model.layers[1].moving_mean, 5 + x.mean(0), atol=1e-5)


def test_a_network_without_batch_normalization_is_left_alone():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    before = model.get_weights()
    gather_statistics(model, tf.data.Dataset.from_tensor_slices((np.zeros((4, 3)), np.zeros(4))).batch(2))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
