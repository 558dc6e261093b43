"""The autoencoder of MLPerf Tiny's anomaly detection benchmark."""

import math

import keras
from keras import layers

# Units of the hidden layers.
_UNITS = (128, 128, 128, 128, 8, 128, 128, 128, 128)


def build(input_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Fully connected layers down to eight numbers and back to the input; `classes` must be two."""
    if classes != 2:
        raise ValueError(f"an anomaly detector has two classes, normal and anomalous, not {classes}")
    inputs = keras.Input(input_shape)
    x = inputs if len(input_shape) == 1 else layers.Flatten()(inputs)
    for units in _UNITS:
        x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(units)(x)))
    x = layers.Dense(math.prod(input_shape))(x)
    x = x if len(input_shape) == 1 else layers.Reshape(input_shape)(x)
    return keras.Model(inputs, x, name="autoencoder_ad")
