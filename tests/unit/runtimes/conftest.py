"""Small networks, converted by the real converter, at every kind of end that vendors ship."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from qbench.runtimes import runtime_class
from qbench.runtimes.specs import read_specs

SHAPE = (8, 8, 1)


def tflite_bytes(model, ends=tf.int8, batch=None, low=0.0, high=1.0):
    """Full-integer conversion for inputs from low to high; weights with one scale an output channel."""
    signature = tf.TensorSpec((batch, *model.input_shape[1:]), tf.float32)
    forward = tf.function(lambda x: model(x, training=False), input_signature=[signature])
    frozen = convert_variables_to_constants_v2(forward.get_concrete_function())
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    inputs = np.float32(low) + np.float32(high - low) * samples(100, model.input_shape[1:])
    converter.representative_dataset = lambda: ([x[np.newaxis]] for x in inputs)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = ends
    return converter.convert()


def samples(count, shape=SHAPE):
    return np.random.default_rng(3).random((count, *shape), np.float32)


def open_file(name, path, specs=None, threads=1):
    """Open a file with a runtime; its ends are read from the file where none are stated."""
    return runtime_class(name)(path, *(specs or read_specs(path)), threads=threads)


@pytest.fixture(scope="session")
def network() -> keras.Model:
    """A convolution and two dense layers whose channels differ 40 times in scale."""
    keras.utils.set_random_seed(0)
    first, last = keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10)
    model = keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.Flatten(),
            first,
            last,
        ]
    )
    for layer in (first, last):
        weights, bias = layer.get_weights()
        layer.set_weights([weights * np.geomspace(0.05, 2, weights.shape[1]), bias])
    return model


@pytest.fixture(scope="session")
def folder(network, tmp_path_factory) -> Path:
    """Its files: int8, uint8 and float32 ends, the float network, and one with a batch of one built in."""
    path = tmp_path_factory.mktemp("runtimes")
    for ends in (tf.int8, tf.uint8, tf.float32):
        (path / f"{ends.name}.tflite").write_bytes(tflite_bytes(network, ends))
    (path / "one.tflite").write_bytes(tflite_bytes(network, batch=1))
    network.save(path / "float.keras")
    return path
