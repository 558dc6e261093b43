"""MobileNetV1 0.25 as in MLPerf Tiny's visual wake words benchmark, with logits in place of the softmax."""

import keras
from keras import layers, regularizers

_FIRST = 8
# Of each depthwise-separable block: its filters, and the stride of its depthwise convolution.
_BLOCKS = (
    (16, 1),
    (32, 2),
    (32, 1),
    (64, 2),
    (64, 1),
    (128, 2),
    *[(128, 1)] * 5,
    (256, 2),
    (256, 1),
)


def build(input_shape: tuple[int, ...], classes: int) -> keras.Model:
    """A strided convolution, 13 depthwise-separable blocks, and the average over the remaining image."""
    inputs = keras.Input(input_shape)
    x = _normalized_relu(_convolution(_FIRST, 3, 2)(inputs))
    for filters, stride in _BLOCKS:
        x = layers.DepthwiseConv2D(3, strides=stride, padding="same", depthwise_regularizer=_l2())(x)
        x = _normalized_relu(x)
        x = _normalized_relu(_convolution(filters, 1, 1)(x))
    x = layers.Flatten()(layers.AveragePooling2D(x.shape[1:3])(x))
    return keras.Model(inputs, layers.Dense(classes)(x), name="mobilenet_vww")


def _convolution(filters: int, size: int, stride: int) -> layers.Conv2D:
    return layers.Conv2D(filters, size, strides=stride, padding="same", kernel_regularizer=_l2())


def _normalized_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization()(x))


def _l2() -> regularizers.Regularizer:
    return regularizers.L2(1e-4)
