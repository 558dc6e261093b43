"""A VGG-like stack of convolutions, as wide as wanted, for studies of low bit widths."""

import keras
from keras import layers


def build(input_shape: tuple[int, ...], classes: int, width: int) -> keras.Model:
    """Three pairs of 3x3 convolutions, `width`, 2 `width` and 4 `width` filters, and two dense layers."""
    inputs = keras.Input(input_shape)
    x = inputs
    for filters in (width, 2 * width, 4 * width):
        x = _normalized_relu(_conv(x, filters))
        x = _normalized_relu(_conv(x, filters))
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = _normalized_relu(layers.Dense(8 * width, use_bias=False)(x))
    return keras.Model(inputs, layers.Dense(classes)(x), name="study_cnn")


def _conv(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    return layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)


def _normalized_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization()(x))
