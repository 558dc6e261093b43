"""A small convolutional network for 8x8 digits: trained in seconds, deployable on any board."""

import keras
from keras import layers


def build(input_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Three convolutions, average pooling, logits out."""
    inputs = keras.Input(input_shape)
    x = _conv(inputs, 16, stride=1)
    x = _conv(x, 32, stride=2)
    x = _conv(x, 32, stride=1)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(classes)(x), name="digits_cnn")


def _conv(x: keras.KerasTensor, filters: int, *, stride: int) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x)
