"""A small network with the operators of TinyML classifiers."""

import keras
import numpy as np
import pytest
from keras import layers


@pytest.fixture(scope="session")
def model():
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, use_bias=False)(image)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Add()([x, layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x)])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(3)(x))


@pytest.fixture(scope="session")
def samples():
    return np.random.default_rng(0).uniform(0, 1, (64, 8, 8, 1)).astype(np.float32)


@pytest.fixture(scope="session")
def scores(model, samples):
    return np.asarray(model(samples, training=False))
