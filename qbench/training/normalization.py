"""The statistics of batch normalization, gathered anew once the weights stand still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def gather_statistics(
    model: keras.Model,
    batches: tf.data.Dataset,
    seen: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
) -> None:
    """Replace moving averages over the training's last steps by averages over batches of the final network.

    Moving averages lag behind weights that move, and low-bit weights jump: Nagel et al., "Overcoming
    Oscillations in Quantization-Aware Training", ICML 2022, re-estimate them for the same reason.

    Args:
        model: trained.
        batches: of inputs and labels.
        seen: of inputs and labels, the inputs that the network was trained on in their place, if any were.
    """
    layers = [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]
    statistics = [each for layer in layers for each in (layer.moving_mean, layer.moving_variance)]
    if not statistics:
        return
    momenta = [layer.momentum for layer in layers]

    @tf.function  # type: ignore[untyped-decorator]
    def averages() -> list[tf.Tensor]:
        def add(total: Any, batch: Any) -> Any:
            (count, *sums), (x, y) = total, batch
            model(x if seen is None else seen(x, y), training=True)
            return (count + 1, *(a + each.value for a, each in zip(sums, statistics, strict=True)))

        count, *sums = batches.reduce((0.0, *(tf.zeros_like(each.value) for each in statistics)), add)
        return [each / count for each in sums]

    try:
        for layer in layers:
            layer.momentum = 0.0  # a step leaves the statistics of its batch
        found = averages()
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    for each, average in zip(statistics, found, strict=True):
        each.assign(average)
