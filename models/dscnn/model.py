"""DS-CNN as in MLPerf Tiny's keyword spotting benchmark, with logits in place of the softmax."""

import keras
from keras import layers, regularizers

_FILTERS = 64
_BLOCKS = 4


def build(input_shape: tuple[int, ...], classes: int) -> keras.Model:
    """A strided convolution over time and frequency, then four depthwise-separable blocks."""
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(_FILTERS, (10, 4), strides=2, padding="same", kernel_regularizer=_l2())(inputs)
    x = layers.Dropout(0.2)(_normalized_relu(x))
    for _ in range(_BLOCKS):
        x = layers.DepthwiseConv2D(3, padding="same", depthwise_regularizer=_l2())(x)
        x = _normalized_relu(x)
        x = layers.Conv2D(_FILTERS, 1, padding="same", kernel_regularizer=_l2())(x)
        x = _normalized_relu(x)
    x = layers.Dropout(0.4)(x)
    x = layers.AveragePooling2D(x.shape[1:3])(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(classes)(x), name="dscnn")


def _normalized_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization()(x))


def _l2() -> regularizers.Regularizer:
    return regularizers.L2(1e-4)
