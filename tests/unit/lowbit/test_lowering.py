import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from qbench.artifacts import LowBit
from qbench.errors import UserError
from qbench.exporters.lowbit_onnx import program_to_onnx
from qbench.exporters.lowbit_tflite import program_to_tflite
from qbench.lowbit.folding import rounding_slack
from qbench.lowbit.lowering import lower
from qbench.lowbit.rewriting import rewrite
from qbench.zoo import find_network
from tests.unit.lowbit.agreement import agreement
from tests.unit.lowbit.networks import settled

WIDTHS = [("digits-cnn", w, a) for w in (1, 2, 3, 4, 8) for a in (1, 2, 3, 4, 8)]
# What additions make of it: each width of either once, and the corners.
WIDTHS += [("resnet8", *each) for each in ((1, 1), (1, 8), (8, 1), (8, 8), (2, 3), (3, 4), (4, 2))]


@pytest.mark.parametrize(("name", "weights", "activations"), WIDTHS)
def test_every_code_is_what_the_reference_kernels_compute_but_for_ties(name, weights, activations):
    model, x = settled(name, weights, activations, "dorefa", count=100)
    check_agreement(model, x)


@pytest.mark.parametrize(
    ("name", "weights", "activations", "method"),
    [
        ("digits-cnn", 1, 4, "dorefa-max"),
        ("digits-cnn", 1, 2, "binaryconnect"),
        ("digits-cnn", 3, 3, "lsq"),
        ("resnet8", 8, 8, "lsq"),
        ("resnet8", 1, 1, "bnn"),
        ("dscnn", 1, 1, "bnn"),
        ("dscnn", 2, 2, "lsq"),
        ("study-cnn", 1, 1, "bnn"),
        ("study-cnn", 2, 2, "lsq"),
    ],
)
def test_so_it_is_by_every_method_and_in_every_network(name, weights, activations, method):
    check_agreement(*settled(name, weights, activations, method))


def check_agreement(model, x):
    lowered = lower(model)
    layers, labels = agreement(lowered.network, program_to_tflite(lowered.program), x)
    assert labels <= 1e-3
    for name, found in layers.items():
        assert found.own <= 2e-3, name
        assert found.from_tie <= 1e-3, name  # float32 sums against integer ones
        assert found.jump <= 1, name


def test_lowering_leaves_the_network_as_it_is_and_repeats():
    model, x = settled("digits-cnn", 3, 3, "dorefa")
    weights, scores = model.get_weights(), model(x).numpy()
    lower(model)
    assert all(map(np.array_equal, weights, model.get_weights()))
    assert np.array_equal(scores, model(x).numpy())
    assert program_to_tflite(lower(model).program) == program_to_tflite(lower(model).program)


def test_weights_have_no_more_values_than_their_bits_and_the_packed_size_follows():
    model, _ = settled("digits-cnn", 2, 2, "lsq")
    program = lower(model).program
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
    lowered = lower(model)
    session = onnxruntime.InferenceSession(program_to_onnx(lowered.program))
    (scores,) = session.run(None, {"input": x})
    step = lowered.network.layers[-1].quantizer.grid.step
    codes = np.rint((scores - lowered.network(x).numpy()) / step)
    assert np.mean(np.abs(codes) > 3) < 0.05  # it rounds once, and ties to even


def test_the_slack_is_that_of_the_second_rounding():
    scales = np.array([0.3, 0.25, 0.01, 1.7])
    assert rounding_slack(scales, 1.0, 1.0).tolist() == [2**-2, 2**-2, 2**-7, 0]


def test_a_network_with_real_activations_is_refused():
    model = find_network("digits-cnn").build((8, 8, 1), 10)
    model = rewrite(model, LowBit(weight_bits=1, act_bits=32, method="binaryconnect"), (0, 1))
    with pytest.raises(UserError, match="cannot be lowered"):
        lower(model)
