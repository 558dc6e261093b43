"""ResNet-8 as in MLPerf Tiny's image classification benchmark, with logits in place of the softmax."""

import keras
from keras import layers, regularizers


def build(input_shape: tuple[int, ...], classes: int) -> keras.Model:
    """A stem and three residual stacks of two convolutions, 16, 32 and 64 filters wide."""
    inputs = keras.Input(input_shape)
    x = layers.ReLU()(_conv(inputs, 16, 3))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        x = _stack(x, filters, stride)
    x = layers.AveragePooling2D(x.shape[1:3])(x)
    x = layers.Flatten()(x)
    logits = layers.Dense(classes, kernel_initializer="he_normal")(x)
    return keras.Model(inputs, logits, name="resnet8")


def _stack(x: keras.KerasTensor, filters: int, stride: int) -> keras.KerasTensor:
    y = layers.ReLU()(_conv(x, filters, 3, stride=stride))
    y = _conv(y, filters, 3)
    if stride != 1:
        x = _conv(x, filters, 1, stride=stride, normalize=False)
    return layers.ReLU()(layers.Add()([x, y]))


def _conv(
    x: keras.KerasTensor, filters: int, size: int, *, stride: int = 1, normalize: bool = True
) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same",
        kernel_initializer="he_normal",
        kernel_regularizer=regularizers.L2(1e-4),
    )(x)
    return layers.BatchNormalization()(x) if normalize else x
