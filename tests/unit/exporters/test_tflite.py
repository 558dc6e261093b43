import keras
import numpy as np
import pytest
from keras import layers

from qbench.errors import UserError
from qbench.exporters.tflite import to_float_tflite, to_int8_tflite
from qbench.runtimes.tflite import make_interpreter


def run(content, batch):
    interpreter = make_interpreter(content, "BUILTIN_WITHOUT_DEFAULT_DELEGATES")
    (entry,), (exit_,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(entry["index"], batch.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], batch)
    interpreter.invoke()
    return interpreter.get_tensor(exit_["index"])


def test_the_float_file_is_the_keras_network(model, samples, scores):
    assert np.allclose(run(to_float_tflite(model), samples), scores, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
def test_every_tensor_of_the_int8_file_is_an_integer_and_weights_have_a_scale_a_channel(model, samples):
    interpreter = make_interpreter(to_int8_tflite(model, samples), "BUILTIN_WITHOUT_DEFAULT_DELEGATES")
    tensors = interpreter.get_tensor_details()
    assert {np.dtype(tensor["dtype"]).name for tensor in tensors} == {"int8", "int32"}
    weights = [
        t for t in tensors if t["dtype"] == np.int8 and t["quantization_parameters"]["scales"].size > 1
    ]
    assert sorted(t["quantization_parameters"]["scales"].size for t in weights) == [3, 4, 4]


def recurrent():
    image = keras.Input((8, 8))
    return keras.Model(image, layers.Dense(3)(layers.GRU(4)(image)))


def exotic():
    image = keras.Input((8, 8))
    return keras.Model(image, layers.Dense(3)(layers.Flatten()(keras.ops.erf(image))))


@pytest.mark.parametrize(
    ("build", "said"), [(recurrent, "holds a loop"), (exotic, "cannot be converted to TFLite")]
)
@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
def test_what_has_no_integer_form_is_said(build, said, capfd):
    with pytest.raises(UserError, match=said) as caught:
        to_int8_tflite(build(), np.zeros((2, 8, 8), np.float32))
    assert caught.value.hint
    capfd.readouterr()
