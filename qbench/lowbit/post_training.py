"""A float network into a low-bit one without training: its grids fitted on samples."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from qbench.artifacts.networks import LowBit
from qbench.lowbit.layers import Quantize
from qbench.lowbit.rewriting import rewrite
from qbench.lowbit.weights import CalibratedWeights

# Channels so much smaller than the largest are dead: they need no step of their own.
_LARGEST_STRETCH = 1e4


def quantize(
    model: keras.Model,
    lowbit: LowBit,
    input_range: tuple[float, float] | None,
    samples: NDArray[np.float32],
) -> keras.Model:
    """The network with quantizers whose steps are fitted, not learned; `lower` makes integers of it.

    Weights have a scale an output channel where batch normalization follows, which carries it, and one a
    layer elsewhere. Every activation is fitted on what the network gives it with all before it quantized.

    Args:
        model: as `rewrite` takes it.
        lowbit: widths of 2 to 8 bits, and one of `schemes.POST_TRAINING`.
        input_range: as `rewrite` takes it.
        samples: [n, *shape] in the network's own unit.

    Raises:
        UserError: as `rewrite`.
    """
    rewritten = rewrite(model, lowbit, input_range)
    for layer in rewritten.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            source = layer.input._keras_history.operation
            quantized = isinstance(getattr(source, "weight_quantizer", None), CalibratedWeights)
            if quantized and len(source._outbound_nodes) == 1:
                _level_channels(source, layer)
    for layer in rewritten.layers:
        if isinstance(layer, Quantize):
            fed = keras.Model(rewritten.input, layer.input)(samples, training=False)
            layer.quantizer.fit(np.asarray(fed))
    return rewritten


def _level_channels(layer: keras.layers.Layer, normalization: keras.layers.BatchNormalization) -> None:
    """Stretch every output channel so that one step fits all; batch normalization takes it back.

    With gain 1 / sqrt(v + e), a channel's r-fold is normalized to the same values by r m and r^2 (v + e) - e.
    """
    kernel = np.asarray(layer.kernel)
    columns = kernel.reshape(-1, layer.output.shape[-1])
    steps = np.array([layer.weight_quantizer.fit_step(each) for each in columns.T])
    stretch = np.minimum(steps.max() / steps, _LARGEST_STRETCH)
    layer.kernel.assign((columns * stretch).reshape(kernel.shape))
    if layer.use_bias:
        layer.bias.assign(np.asarray(layer.bias) * stretch)
    variance = np.asarray(normalization.moving_variance, np.float64) + normalization.epsilon
    normalization.moving_mean.assign(np.asarray(normalization.moving_mean) * stretch)
    normalization.moving_variance.assign(variance * stretch**2 - normalization.epsilon)
    layer.weight_quantizer.step.assign(steps.max())
