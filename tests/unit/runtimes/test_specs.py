import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from qbench.errors import UserError
from qbench.runtimes.specs import check_integer, read_specs

pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")


def network(inputs=1):
    keras.utils.set_random_seed(0)
    ends = [keras.Input((4, 4, 1)) for _ in range(inputs)]
    x = layers.Add()(ends) if inputs > 1 else ends[0]
    return keras.Model(ends, layers.Dense(3)(layers.Flatten()(layers.Conv2D(20, 3)(x))))


def converted(path, model, ends=None):
    """float32 (None), weights only in int8 ("weights"), or full integer with the given ends."""
    shapes = [tf.TensorSpec((1, *each.shape[1:]), tf.float32) for each in model.inputs]
    forward = tf.function(lambda *x: model(list(x))).get_concrete_function(*shapes)
    frozen = convert_variables_to_constants_v2(forward)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    if ends is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if ends not in (None, "weights"):
        rng = np.random.default_rng(0)
        converter.representative_dataset = lambda: (
            [rng.random(shape.shape).astype(np.float32) for shape in shapes] for _ in range(8)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = getattr(tf, ends)
    path.write_bytes(converter.convert())
    return path


@pytest.fixture(scope="module")
def int8(tmp_path_factory):
    return converted(tmp_path_factory.mktemp("specs") / "int8.tflite", network(), "int8")


@pytest.mark.parametrize("ends", ["int8", "uint8", "float32"])
def test_the_ends_are_read_and_the_inside_is_found_to_be_integer(tmp_path, ends):
    path = converted(tmp_path / "a.tflite", network(), ends)
    entry, exit_ = read_specs(path)
    assert (entry.shape, exit_.shape) == ((4, 4, 1), (3,))
    assert (entry.dtype, exit_.dtype) == (ends, ends)
    if ends == "float32":
        assert entry.quantization is None
    else:
        assert entry.scale == pytest.approx(1 / 255, rel=0.05)
        assert entry.zero_point == np.iinfo(ends).min
    check_integer(path)


@pytest.mark.parametrize("kind", [None, "weights"])
def test_a_network_that_computes_in_float_is_no_integer_artefact(tmp_path, kind):
    path = converted(tmp_path / "a.tflite", network(), kind)
    with pytest.raises(UserError, match="is not an integer network"):
        check_integer(path)


def test_several_inputs_are_refused(tmp_path):
    with pytest.raises(UserError, match="has 2 inputs"):
        read_specs(converted(tmp_path / "a.tflite", network(inputs=2), "int8"))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot read"):
        read_specs(tmp_path / "nowhere.tflite")


# Cut at every length, then with random bytes replaced; in a process of its own, which must not die.
DAMAGE = """
import sys, pathlib
import numpy as np
from qbench.errors import UserError
from qbench.runtimes.specs import check_integer, read_specs

whole, target = pathlib.Path(sys.argv[1]).read_bytes(), pathlib.Path(sys.argv[2])
rng = np.random.default_rng(0)
refused = 0

def attempt(content):
    global refused
    target.write_bytes(content)
    try:
        read_specs(target)
        check_integer(target)
    except UserError as error:
        assert error.hint, error.what
        refused += 1
        return
    assert len(content) == len(whole), f"a cut file of {len(content)} bytes was accepted"

for length in range(0, len(whole), 7):
    attempt(whole[:length])
for _ in range(300):
    changed = np.frombuffer(whole, np.uint8).copy()
    changed[rng.integers(0, len(whole), 3)] = rng.integers(0, 256, 3)
    attempt(changed.tobytes())
print("refused", refused)
"""


def test_a_damaged_file_never_takes_the_process_down(int8, tmp_path):
    words = [sys.executable, "-c", DAMAGE, str(int8), str(tmp_path / "cut.tflite")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) > len(int8.read_bytes()) // 7


def test_a_name_that_is_no_text_is_damage(int8, tmp_path):
    name = read_specs(int8)[0].name.encode()
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(int8.read_bytes().replace(name, b"\xff" + name[1:]))
    with pytest.raises(UserError, match="is not a TFLite model"):
        read_specs(bad)
