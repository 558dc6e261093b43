"""ONNX files in the forms that other tools write: what their quantizers say, and what is refused by name."""

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

import qbench
from qbench.artifacts import Preprocessing
from qbench.data import IMAGE, load_dataset
from qbench.errors import InternalFault, UserError
from qbench.formats.onnx_file import onnx_specs
from qbench.formats.onnx_reading import read_onnx
from qbench.replaying.plain import check_labels
from qbench.surrogate.lifted import LiftedSurrogate

S, U = QuantType.QInt8, QuantType.QUInt8


@pytest.fixture(scope="module")
def digits():
    """The digits, and their inputs as the network takes them."""
    dataset = load_dataset("digits")
    return dataset, dataset.inputs(dataset.test.x)


@pytest.fixture(scope="module")
def quantized(bundle, digits, tmp_path_factory):
    """Quantizes the float graph of the bundle as told, and gives the file."""
    folder = tmp_path_factory.mktemp("forms")
    _, x = digits

    class Samples(CalibrationDataReader):
        def __init__(self):
            self.batches = iter({"input": x[i : i + 20]} for i in range(0, 100, 20))

        def get_next(self):
            return next(self.batches, None)

    def make(name, form, activations, weights, **more):
        file = folder / f"{name}.onnx"
        quantize_static(
            bundle.path / "float.onnx",
            file,
            Samples(),
            quant_format=form,
            activation_type=activations,
            weight_type=weights,
            **more,
        )
        return file

    return make


def plain(file, x):
    """The scores of a file that ONNX Runtime runs directly."""
    session = onnxruntime.InferenceSession(str(file))
    return session.run(None, {session.get_inputs()[0].name: x})[0]


@pytest.mark.parametrize(
    ("name", "form", "activations", "weights", "more", "dtype"),
    [
        ("u8s8", QuantFormat.QDQ, U, S, {}, "uint8"),
        ("u8u8", QuantFormat.QDQ, U, U, {}, "uint8"),
        ("u8s8-per-channel", QuantFormat.QDQ, U, S, {"per_channel": True}, "uint8"),
        ("s8s8", QuantFormat.QDQ, S, S, {}, "int8"),
        ("qoperator-u8s8", QuantFormat.QOperator, U, S, {}, "uint8"),
        ("qoperator-s8s8", QuantFormat.QOperator, S, S, {}, "int8"),
    ],
)
def test_every_form_scores_as_its_own_runtime_says(
    quantized, digits, tmp_path, name, form, activations, weights, more, dtype
):
    dataset, x = digits
    file = quantized(name, form, activations, weights, **more)
    made = qbench.export(file, dataset, tmp_path / "out", input_range=(0, 1))
    info = made.content.artifacts["int8.onnx"]
    assert (info.input.dtype, info.output.dtype) == (dtype, dtype)
    assert info.correct == np.sum(plain(file, x).argmax(axis=1) == dataset.test.y)


def test_uint8_activations_are_lifted(quantized, digits):
    _, x = digits
    file = quantized("lifted", QuantFormat.QDQ, U, S, per_channel=True)
    lifted = LiftedSurrogate(file.read_bytes(), Preprocessing(), IMAGE)
    wanted = plain(file, x)
    assert np.mean(lifted.logits(x).numpy().argmax(axis=1) == wanted.argmax(axis=1)) > 0.99


def test_qoperator_graphs_are_refused_by_the_lifted_surrogate_with_their_operator(quantized):
    file = quantized("refused", QuantFormat.QOperator, U, S)
    with pytest.raises(UserError, match=r"QLinearConv, cannot be lifted"):
        LiftedSurrogate(file.read_bytes(), Preprocessing(), IMAGE)


@pytest.fixture
def graph(bundle):
    """The bundle's own int8.onnx, to be changed."""
    return onnx.load(bundle.path / "int8.onnx")


def quantizers(model):
    return [node for node in model.graph.node if node.op_type == "QuantizeLinear"]


def test_parameters_may_stand_in_constant_nodes(graph):
    wanted = onnx_specs(graph.SerializeToString())
    used = {name for node in quantizers(graph) for name in node.input[1:]}
    moved = [each for each in graph.graph.initializer if each.name in used]
    kept = [each for each in graph.graph.initializer if each.name not in used]
    nodes = [helper.make_node("Constant", [], [each.name], value=each) for each in moved]
    nodes += copy.deepcopy(list(graph.graph.node))
    del graph.graph.initializer[:], graph.graph.node[:]
    graph.graph.initializer.extend(kept)
    graph.graph.node.extend(nodes)
    assert onnx_specs(graph.SerializeToString()) == wanted


def test_a_zero_point_left_out_means_uint8_zero(graph):
    entry = quantizers(graph)[0]
    leave = next(n for n in graph.graph.node if n.input and n.input[0] == entry.output[0])
    graph.graph.initializer.append(numpy_helper.from_array(np.float32(1 / 255), "entry_scale"))
    entry.input[:] = [entry.input[0], "entry_scale"]
    leave.input[:] = [leave.input[0], "entry_scale"]
    spec, _ = onnx_specs(graph.SerializeToString())
    assert (spec.dtype, spec.zero_point, spec.scale) == ("uint8", 0, float(np.float32(1 / 255)))


def test_tensors_beside_the_model_are_read_from_its_own_folder_alone(bundle, graph, digits, tmp_path):
    dataset, x = digits
    file = tmp_path / "model" / "external.onnx"
    file.parent.mkdir()
    onnx.save(
        copy.deepcopy(graph),
        file,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
        convert_attribute=False,
    )
    made = qbench.export(file, dataset, tmp_path / "out", input_range=(0, 1))
    np.testing.assert_array_equal(plain(made.path / "int8.onnx", x), plain(bundle.path / "int8.onnx", x))
    weights = file.parent / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:-40])
    with pytest.raises(UserError, match="too short"):
        read_onnx(file)
    outside = tmp_path / "weights.bin"
    weights.rename(outside)
    with pytest.raises(UserError, match="cannot be read"):
        read_onnx(file)
    weights.symlink_to(outside)
    with pytest.raises(UserError, match="names the file"):
        read_onnx(file)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "", "..\\weights.bin"])
def test_no_file_outside_the_folder_is_read(graph, tmp_path, location):
    tensor = graph.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.ClearField("raw_data")
    tensor.external_data.append(onnx.StringStringEntryProto(key="location", value=location))
    (tmp_path / "net.onnx").write_bytes(graph.SerializeToString())
    with pytest.raises(UserError, match="names the file"):
        read_onnx(tmp_path / "net.onnx")


@pytest.mark.parametrize(
    ("dtype", "name"),
    [(TensorProto.INT16, "int16"), (TensorProto.INT4, "int4"), (TensorProto.FLOAT8E4M3FN, "float8_e4m3fn")],
)
def test_codes_of_another_width_are_refused_by_name(dtype, name):
    zero = helper.make_tensor("zero", dtype, [], [0])
    scale = numpy_helper.from_array(np.float32(0.1), "scale")
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 4]) for n in "xy"]
    model = helper.make_model(
        helper.make_graph(nodes, "ends", ends[:1], ends[1:], [zero, scale]),
        opset_imports=[helper.make_opsetid("", 21)],
        ir_version=10,
    )
    with pytest.raises(UserError, match=f"input of .* is quantized to {name}"):
        onnx_specs(model.SerializeToString())


def test_a_computed_scale_is_refused(graph):
    quantizers(graph)[0].input[1] = graph.graph.input[0].name
    with pytest.raises(UserError, match="QuantizeLinear that makes") as caught:
        onnx_specs(graph.SerializeToString())
    assert "computed, not a constant" in caught.value.cause


def scores_as_given(outputs, *_):
    return outputs


@pytest.mark.parametrize("artefact", ["int8.onnx", "int8.tflite", "float.tflite", "float.onnx"])
def test_other_labels_than_a_plain_run_gives_are_an_error(bundle, digits, artefact):
    _, x = digits
    file = bundle.path / artefact
    scores = plain(bundle.path / "float.onnx", x)
    right = plain(bundle.path / "int8.onnx", x) if artefact == "int8.onnx" else scores
    if artefact != "int8.tflite":  # rounds as TFLite does, not as ONNX
        check_labels(file, x, right, scores_as_given)
    with pytest.raises(InternalFault, match="gives other labels in qbench"):
        check_labels(file, x, np.roll(scores, 1, axis=1), scores_as_given)
