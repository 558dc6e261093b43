"""Low-bit networks with statistics as after training."""

import keras
import numpy as np

from qbench.artifacts import LowBit
from qbench.lowbit.rewriting import rewrite
from qbench.zoo import find_network

SHAPES = {"digits-cnn": (8, 8, 1), "resnet8": (16, 16, 3), "dscnn": (25, 5, 1), "study-cnn": (8, 8, 3)}


def settled(name, weights, activations, method, count=24):
    """A rewritten network with statistics as after training, and pixels to run it on."""
    keras.utils.set_random_seed(weights * 10 + activations)
    model = find_network(name).build(SHAPES[name], 10)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(rng.normal(size=layer.gamma.shape))  # of both signs
            layer.beta.assign(rng.normal(size=layer.beta.shape))
            layer.momentum = 0.5
    lowbit = LowBit(weight_bits=weights, act_bits=activations, method=method)
    model = rewrite(model, lowbit, (0, 1))
    x = rng.integers(0, 256, (count, *SHAPES[name])).astype(np.float32) / 255
    for _ in range(8):
        model(x, training=True)
    return model, x
