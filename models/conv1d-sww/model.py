"""The network of MLPerf Tiny's streaming wakeword benchmark, with logits in place of the softmax."""

import keras
from keras import layers

# Of each block: frames that its depthwise convolution spans, and its filters.
_BLOCKS = ((3, 128), (5, 128), (10, 128), (15, 32))


def build(input_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Four depthwise-separable convolutions over time, each band a channel; none is padded."""
    inputs = keras.Input(input_shape)
    x = inputs
    for frames, filters in _BLOCKS:
        x = layers.DepthwiseConv2D((frames, 1), use_bias=False)(x)
        x = layers.Conv2D(filters, 1, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Dropout(0.2)(x)
    return keras.Model(inputs, layers.Dense(classes)(layers.Flatten()(x)), name="conv1d_sww")
