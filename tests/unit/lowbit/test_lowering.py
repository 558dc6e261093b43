import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from qbench.artifacts import LowBit
from qbench.errors import UserError
from qbench.exporters.lowbit_onnx import program_to_onnx
from qbench.exporters.lowbit_tflite import program_to_tflite
from qbench.lowbit.folding import rounding_slack
from qbench.lowbit.layers import Quantize
from qbench.lowbit.lowering import lower
from qbench.lowbit.rewriting import rewrite
from qbench.zoo import find_network

WIDTHS = [(w, a) for w in (1, 2, 3, 4, 8) for a in (1, 2, 3, 4, 8)]
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


def disagreement(model, content, x):
    """The share of every `Quantize` layer's codes that the reference kernels miss, and of labels."""
    layers = [layer for layer in model.layers if isinstance(layer, Quantize)]
    found = keras.Model(model.input, [layer.output for layer in layers])(x, training=False)
    expected = {
        layer.name: np.rint(each.numpy() / np.float32(layer.quantizer.grid.step)).astype(int)
        for layer, each in zip(layers, found, strict=True)
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # TensorFlow advertises LiteRT
        interpreter = tf.lite.Interpreter(
            model_content=content,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
        )
    entry = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(entry["index"], [len(x), *entry["shape"][1:]])
    interpreter.allocate_tensors()
    interpreter.set_tensor(
        entry["index"], (expected["input_int8"] + entry["quantization"][1]).astype(np.int8)
    )
    interpreter.invoke()
    tensors = {each["name"]: each for each in interpreter.get_tensor_details()}
    shares = {}
    for name, codes in expected.items():
        computed = interpreter.get_tensor(tensors[name]["index"]).astype(int)
        shares[name] = np.mean(computed - tensors[name]["quantization"][1] != codes)
    scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return shares, np.mean(scores.argmax(axis=1) != found[-1].numpy().argmax(axis=1))


@pytest.mark.parametrize(
    ("weights", "activations", "method"),
    [(*each, "dorefa") for each in WIDTHS] + [(w, a, "lsq") for w, a in WIDTHS if w + a in (3, 6, 9)],
)
def test_every_code_is_what_the_reference_kernels_compute(weights, activations, method):
    model, x = settled("digits-cnn", weights, activations, method, count=100)
    shares, labels = disagreement(model, program_to_tflite(lower(model)), x)
    assert max(shares.values()) <= 5e-3, shares  # float rounding decides near-ties, and they propagate
    assert labels <= 1e-2


@pytest.mark.parametrize("widths", [(2, 2, "lsq"), (1, 1, "bnn")])
@pytest.mark.parametrize("name", ["resnet8", "dscnn", "study-cnn"])
def test_every_network_is_lowered_exactly(name, widths):
    model, x = settled(name, *widths)
    shares, labels = disagreement(model, program_to_tflite(lower(model)), x)
    assert max(shares.values()) <= 2e-3, shares
    assert labels == 0


def test_lowering_twice_changes_nothing():
    model, _ = settled("digits-cnn", 3, 3, "dorefa")
    assert program_to_tflite(lower(model)) == program_to_tflite(lower(model))


def test_weights_have_no_more_values_than_their_bits_and_the_packed_size_follows():
    model, _ = settled("digits-cnn", 2, 2, "lsq")
    program = lower(model)
    file = schema.ModelT.InitFromPackedBuf(program_to_tflite(program), 0)
    weights = [each for each in program.operators if getattr(each, "bits", None) is not None]
    assert len(weights) == 4
    assert all(len(np.unique(each.weights)) <= 4 for each in weights)
    count = sum(each.weights.size for each in weights)
    assert program.weight_bytes_saved == count - count // 4
    assert len(file.subgraphs[0].operators) == 6  # three convolutions, the average, a reshape, the scores


def test_onnx_runtime_computes_nearly_the_same():
    import onnxruntime

    model, x = settled("digits-cnn", 2, 2, "lsq", count=200)
    session = onnxruntime.InferenceSession(program_to_onnx(lower(model)))
    (scores,) = session.run(None, {"input": x})
    step = model.layers[-1].quantizer.grid.step
    codes = np.rint((scores - model(x).numpy()) / step)
    assert np.mean(np.abs(codes) > 3) < 0.05  # it rounds once, and ties to even


def test_the_slack_is_that_of_the_second_rounding():
    scales = np.array([0.3, 0.25, 0.01, 1.7])
    assert rounding_slack(scales, 1.0, 1.0).tolist() == [2**-2, 2**-2, 2**-7, 0]


def test_a_network_with_real_activations_is_refused():
    model = find_network("digits-cnn").build((8, 8, 1), 10)
    model = rewrite(model, LowBit(weight_bits=1, act_bits=32, method="binaryconnect"), (0, 1))
    with pytest.raises(UserError, match="cannot be lowered"):
        lower(model)
