"""The lifted surrogate: whole networks against the reference kernels, gradient rules, every kind of end."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from qbench.artifacts import Preprocessing
from qbench.attacks import Victims, find_attack
from qbench.data import IMAGE, INT8_FEATURES, load_dataset
from qbench.errors import UserError
from qbench.exporters.tflite import to_int8_tflite
from qbench.inputs import InputGrid
from qbench.quant import Quantization
from qbench.runtimes.specs import read_specs
from qbench.runtimes.tflite import TfliteReferenceRuntime, make_interpreter
from qbench.surrogate.keras import KerasSurrogate
from qbench.surrogate.lifted import GRADIENTS, LiftedSurrogate
from qbench.surrogate.lifted.gradients import Clamp, integer_operator
from qbench.surrogate.lifted.network import LiftedNetwork
from qbench.surrogate.lifted.reader import read_graph
from qbench.surrogate.scoring import Scorer
from tests.golden.builder import ModelBuilder

EXACT = tuple(rule for rule in GRADIENTS if rule != "float")
PIXELS = Preprocessing(scale=255.0)  # MLPerf Tiny's ResNet-8 takes pixels from 0 to 255


@pytest.fixture(scope="module")
def resnet8(data_root):
    """The folder of MLPerf Tiny's ResNet-8."""
    return data_root / "mlperf-tiny" / "ic-resnet8"


@pytest.fixture(scope="module")
def images(data_root):
    """256 test images."""
    data = load_dataset(str(data_root / "cifar10-jpeg-test.zip"))
    rows = np.random.default_rng(0).permutation(len(data.test))[:256]
    return Victims(data.inputs(data.test.x[rows]), data.test.y[rows], rows)


def traces(content, codes):
    """All tensors that operators write, [n, *shape], by TensorFlow's reference kernels; and their indices."""
    interpreter = make_interpreter(content, "BUILTIN_REF", "tensorflow", keep_tensors=True)
    interpreter.allocate_tensors()
    graph = read_graph(content)
    written = [operator.outputs[0] for operator in graph.operators]
    found = []
    for sample in codes:
        interpreter.set_tensor(graph.inputs[0], sample[np.newaxis])
        interpreter.invoke()
        found.append([interpreter.get_tensor(index) for index in written])
    return written, [np.concatenate(parts) for parts in zip(*found, strict=True)]


def differing(content, codes, rule):
    """How many elements of each operator's output differ from the reference kernels'."""
    written, wanted = traces(content, codes)
    graph = read_graph(content)
    network = tf.function(LiftedNetwork(graph, rule, written))
    found = network(tf.constant(codes.astype(np.float32) - graph.tensors[graph.inputs[0]].zero_point))
    offsets = [graph.tensors[index].zero_point for index in written]
    return [
        int(np.count_nonzero(y.numpy() + offset != z))
        for y, offset, z in zip(found, offsets, wanted, strict=True)
    ]


@pytest.mark.parametrize("rule", EXACT)
def test_every_tensor_of_resnet8_equals_the_reference(resnet8, images, rule):
    codes = InputGrid(Quantization(1.0, -128, "int8"), PIXELS).codes(images.x[:64])
    assert set(differing((resnet8 / "int8.tflite").read_bytes(), codes, rule)) == {0}


@pytest.mark.parametrize("rule", EXACT)
def test_every_tensor_of_dscnn_equals_the_reference(data_root, rule):
    folder = data_root / "mlperf-tiny" / "kws-dscnn"
    codes = np.load(folder / "samples.npz")["x"][:64]
    assert set(differing((folder / "int8.tflite").read_bytes(), codes, rule)) == {0}


def test_logits_come_from_before_the_softmax(resnet8, images):
    path = resnet8 / "int8.tflite"
    surrogate = LiftedSurrogate.load(path, PIXELS, IMAGE)
    assert surrogate.name == "lifted:clipped-ste"
    logits = Scorer(surrogate, batch=32)(images.x[:32])
    written, tensors = traces(path.read_bytes(), surrogate_codes(images.x[:32]))
    entering = read_graph(path.read_bytes()).tensors[written[-2]]
    assert np.array_equal(logits, entering.scale * (tensors[-2] - np.float32(entering.zero_point)))


def surrogate_codes(x):
    return InputGrid(Quantization(1.0, -128, "int8"), PIXELS).codes(x)


def small_network():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(6, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )


@pytest.fixture(scope="module", params=[tf.int8, tf.uint8, tf.float32], ids=lambda dtype: dtype.name)
def ends(request, tmp_path_factory):
    """A small network, converted with each kind of input and output."""
    model = small_network()
    inputs = np.random.default_rng(3).random((50, 8, 8, 1), np.float32)
    signature = [tf.TensorSpec((None, 8, 8, 1), tf.float32)]
    forward = tf.function(lambda x: model(x, training=False), input_signature=signature)
    frozen = convert_variables_to_constants_v2(forward.get_concrete_function())
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[np.newaxis]] for x in inputs)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = request.param
    path = tmp_path_factory.mktemp("ends") / "int8.tflite"
    path.write_bytes(converter.convert())
    return path, model, inputs


def test_any_ends(ends):
    path, model, x = ends
    surrogate = LiftedSurrogate.load(path, Preprocessing(), IMAGE)
    logits = Scorer(surrogate, batch=16)(x)
    runtime = TfliteReferenceRuntime(path, *read_specs(path))
    fed = x if runtime.input.quantization is None else runtime.input.quantization.quantize(x)
    probabilities = runtime.invoke(fed).astype(np.float32)
    if runtime.output.quantization is not None:
        probabilities = runtime.output.quantization.dequantize(runtime.invoke(fed))
    softmax = np.asarray(tf.nn.softmax(logits))
    assert np.abs(softmax - probabilities).max() < 1 / 128
    dequantized = LiftedSurrogate.load(path, Preprocessing(), IMAGE, "float")
    assert np.abs(np.asarray(tf.nn.softmax(Scorer(dequantized)(x))) - np.asarray(model(x))).max() < 0.02


def slope(rule, x, clamp):
    """Output and gradient of a rounding under a clamp."""
    rounding = integer_operator(tf.round, lambda x: x, clamp, rule)
    point = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(point)
        y = rounding(point)
    return y.numpy().tolist(), tape.gradient(y, point).numpy().tolist()


@pytest.mark.parametrize(
    ("rule", "output", "gradient"),
    [
        ("ste", [0, 2, 6], [0, 1, 0]),
        ("clipped-ste", [0, 2, 6], [0, 1, 0]),
        ("identity-relu", [0, 2, 6], [1, 1, 1]),
        ("float", [0, 2.25, 6], [0, 1, 0]),
    ],
)
def test_a_relu6_under_each_rule(rule, output, gradient):
    clamp = Clamp(low=0, high=6, floor=0.0, ceiling=6.0)
    assert slope(rule, [-3.0, 2.25, 7.0], clamp) == (output, gradient)


def test_saturation_stops_only_the_clipped_rule():
    clamp = Clamp(low=-128, high=127)
    assert slope("ste", [300.0], clamp) == ([127], [1])
    assert slope("clipped-ste", [300.0], clamp) == ([127], [0])
    assert slope("float", [300.0], clamp) == ([300], [1])


def test_the_smooth_slope_rises_between_codes_and_is_one_on_average():
    points = np.linspace(0, 1, 1000, endpoint=False)
    _, slopes = slope("smooth", points, Clamp(low=-128, high=127))
    assert np.mean(slopes) == pytest.approx(1, abs=1e-3)
    assert np.argmax(slopes) == 500
    assert slopes[500] > 2 * slopes[0]


@pytest.mark.parametrize("end", ["FULLY_CONNECTED", "QUANTIZE", "DEQUANTIZE"])
@pytest.mark.parametrize("rule", GRADIENTS)
def test_scores_that_saturate_keep_their_gradient(rule, end):
    m = ModelBuilder()
    x, y = m.tensor((1, 2), scale=1.0), m.tensor((1, 2), scale=0.25)
    weights = m.constant(np.array([[100, 0], [0, 100]], np.int8), 1.0)
    m.operator("FULLY_CONNECTED", [x, weights], [y], "FullyConnectedOptions", version=4)
    if end == "QUANTIZE":
        y, inner = m.tensor((1, 2), "uint8", scale=0.25, zero_point=128), y
        m.operator("QUANTIZE", [inner], [y], "QuantizeOptions")
    if end == "DEQUANTIZE":
        y, inner = m.tensor((1, 2), "float32"), y
        m.operator("DEQUANTIZE", [inner], [y], "DequantizeOptions")
    surrogate = LiftedSurrogate(m.build([x], [y]), Preprocessing(), INT8_FEATURES, rule)
    point = tf.constant([[3.0, -5.0]])
    with tf.GradientTape() as tape:
        tape.watch(point)
        scores = surrogate.logits(point)
    assert rule == "float" or scores.numpy().tolist() == [[31.75, -32.0]]
    assert (tape.gradient(scores, point).numpy() > 0).all()


def test_an_unknown_rule_is_refused(resnet8):
    with pytest.raises(UserError) as refused:
        LiftedSurrogate.load(resnet8 / "int8.tflite", PIXELS, IMAGE, "cliped-ste")
    assert "'clipped-ste'" in refused.value.hint


def test_a_network_with_two_inputs_is_refused():
    m = ModelBuilder()
    a, b, y = (m.tensor((1, 4), scale=1.0) for _ in range(3))
    m.operator("ADD", [a, b], [y], "AddOptions", version=2)
    with pytest.raises(UserError, match="2 inputs"):
        LiftedSurrogate(m.build([a, b], [y]), Preprocessing(), INT8_FEATURES)


def test_a_graph_that_mixes_a_batch_is_refused():
    m = ModelBuilder()
    x, y = m.tensor((1, 4, 2), scale=1.0), m.tensor((4, 2), scale=1.0)
    m.operator("RESHAPE", [x, m.constant(np.array([4, 2], np.int32))], [y], "ReshapeOptions")
    with pytest.raises(UserError, match="operator 0, RESHAPE"):
        LiftedSurrogate(m.build([x], [y]), Preprocessing(), INT8_FEATURES)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot read"):
        LiftedSurrogate.load(tmp_path / "none.tflite", Preprocessing(), IMAGE)


def accuracy_on_device(surrogate, images, path, eps):
    """Robust accuracy on the reference kernels under PGD on a surrogate, rounded to the input's grid."""
    attack = find_attack("pgd")(surrogate, batch=len(images))
    x_adv = np.concatenate([found.x for (found,) in attack.perturb(images, [eps])])
    grid = InputGrid(Quantization(1.0, -128, "int8"), PIXELS)
    codes = grid.rounded(x_adv, images.x, eps, "linf").codes
    runtime = TfliteReferenceRuntime(path, *read_specs(path), threads=2)
    return float((runtime.invoke(codes).argmax(1) == images.y).mean())


@pytest.mark.slow
def test_white_box_beats_transfer(resnet8, images):
    path, victims, eps = resnet8 / "int8.tflite", images.rows(0, 64), 1 / 255
    transfer = KerasSurrogate.load(resnet8 / "float.h5", PIXELS, IMAGE)
    lifted = LiftedSurrogate.load(path, PIXELS, IMAGE)
    white_box = accuracy_on_device(lifted, victims, path, eps)
    assert white_box <= accuracy_on_device(transfer, victims, path, eps) < 0.1


def test_white_box_finds_what_transfer_from_another_checkpoint_misses(data_root):
    folder = data_root / "mlperf-tiny" / "kws-dscnn"
    path, samples = folder / "int8.tflite", np.load(folder / "samples.npz")
    specs = read_specs(path)
    grid = specs[0].quantization
    preprocessing = Preprocessing(scale=grid.scale, offset=-grid.zero_point * grid.scale)
    clean = samples["x"][:64]
    victims = Victims(clean.astype(np.float32), samples["y"][:64].astype(np.int64), np.arange(64))
    runtime, left = TfliteReferenceRuntime(path, *specs), []
    for surrogate in (
        LiftedSurrogate.load(path, preprocessing, INT8_FEATURES),
        KerasSurrogate.load(folder / "float.keras", preprocessing, INT8_FEATURES),
    ):
        ((found,),) = find_attack("pgd")(surrogate, batch=64, steps=10).perturb(victims, [1.0])
        codes = InputGrid(grid, preprocessing).rounded(found.x, victims.x, 1.0, "linf").codes
        left.append(float((runtime.invoke(codes).argmax(1) == victims.y).mean()))
    assert left[0] < 0.1 < left[1]


@pytest.mark.parametrize("rule", ["clipped-ste", "smooth"])
def test_every_tensor_of_resnet8_with_16_bit_activations_equals_the_reference(resnet8, images, rule):
    model = keras.models.load_model(resnet8 / "float.h5", compile=False)
    content = to_int8_tflite(model, PIXELS.apply(images.x), "int16")
    entry = read_graph(content)
    scale = float(entry.tensors[entry.inputs[0]].scale)
    codes = InputGrid(Quantization(scale, 0, "int16"), PIXELS).codes(images.x[:16])
    assert set(differing(content, codes, rule)) == {0}
