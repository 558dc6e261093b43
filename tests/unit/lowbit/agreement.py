"""How a quantized Keras network and the reference kernels differ, and whether rounding explains it."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np

from qbench.lowbit.activations import SignActivation
from qbench.lowbit.layers import Quantize
from qbench.runtimes.tflite import make_interpreter


class Agreement(NamedTuple):
    """Of one `Quantize` layer.

    Attributes:
        codes: share of its codes that the kernels compute otherwise, from the network's input on.
        own: the same, if both are given the kernels' own codes of the layers before.
        from_tie: how far from a tie the values of `own` are, at most, in codes.
        jump: by how many codes `own` differ, at most.
    """

    codes: float
    own: float
    from_tie: float
    jump: int


def agreement(model, content, x):
    """By layer, and the share of labels that differ. x [n, *shape], on the input's grid."""
    layers = [layer for layer in model.layers if isinstance(layer, Quantize)]
    found = keras.Model(model.input, [layer.output for layer in layers])(x, training=False)
    expected = {layer.name: codes_of(layer, each) for layer, each in zip(layers, found, strict=True)}
    tensors, scores = intermediates(content, expected["input_int8"])
    by_layer = {}
    for layer in layers[1:]:
        computed, _ = tensors[layer.name]
        alone, value = forced(layer, tensors)
        wrong = alone != computed
        by_layer[layer.name] = Agreement(
            codes=np.mean(computed != expected[layer.name]),
            own=np.mean(wrong),
            from_tie=np.max(distance(layer, value, alone, computed)[wrong], initial=0),
            jump=np.max(np.abs(alone - computed)),
        )
    labels = found[-1].numpy().argmax(axis=1)
    return by_layer, np.mean(scores.argmax(axis=1) != labels)


def codes_of(layer, real):
    return np.rint(np.asarray(real) / np.float32(layer.quantizer.grid.step)).astype(int)


def intermediates(content, codes):
    """Every int8 tensor of the reference kernels, as (code - zero point, scale), and the scores."""
    interpreter = make_interpreter(content, "BUILTIN_REF", "tensorflow", keep_tensors=True)
    entry = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(entry["index"], [len(codes), *entry["shape"][1:]])
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], (codes + entry["quantization"][1]).astype(np.int8))
    interpreter.invoke()
    tensors = {}
    for each in interpreter.get_tensor_details():
        if each["dtype"] == np.int8 and each["name"]:
            scale, zero_point = each["quantization"]
            tensors[each["name"]] = interpreter.get_tensor(each["index"]).astype(int) - zero_point, scale
    return tensors, interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def forced(layer, tensors):
    """A layer's codes, and the values that it rounds, from the kernels' own codes of the layers before."""
    sources, pending = [], [layer.input]
    while pending:
        x = pending.pop()
        producer, node, _ = x._keras_history
        if producer.name in tensors:
            sources.append(x)
        else:
            pending += producer._inbound_nodes[node].input_tensors
    given = [np.float32(np.multiply(*tensors[x._keras_history[0].name])) for x in sources]
    value = given[0] if sources == [layer.input] else keras.Model(sources, layer.input)(given, training=False)
    return codes_of(layer, layer(value, training=False)), np.asarray(value)


def distance(layer, value, one, other):
    """How far values are from where their rounding goes from one code to the other, in codes."""
    if isinstance(layer.quantizer, SignActivation):
        return np.abs(value)
    codes = np.abs(value / np.float32(layer.quantizer.grid.step)) + layer.quantizer.slack.numpy()
    return np.abs(codes - np.abs(one + other) / 2)
