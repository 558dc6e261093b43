"""Front ends against TensorFlow's own operators, real recordings, and differences."""

import json
import wave

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from qbench.frontends import FRONT_ENDS

WAKEWORD = FRONT_ENDS["wakeword"]


@pytest.fixture(scope="module")
def recording(data_root):
    """The first channel of MLPerf Tiny's recording, in [-1, 1], and its true windows in seconds."""
    folder = data_root / "mlperf-tiny/sww-conv1d"
    with wave.open(str(folder / "short.wav")) as file:
        stored = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        assert file.getframerate() == WAKEWORD.rate
    (said,) = json.loads((folder / "short.json").read_text())
    return stored[:, 0].astype(np.float32) / 32768, said["detection_windows"]


def test_its_mel_bands_are_tensorflows():
    theirs = tf.signal.linear_to_mel_weight_matrix(40, 513, 16_000, 0.0, 8000.0).numpy()
    np.testing.assert_allclose(WAKEWORD._mel_matrix, theirs, atol=1e-5)


def test_graph_and_arrays_agree(recording):
    sound, _ = recording
    x = np.stack([sound[start : start + 15_872] for start in (0, 16_000, 64_000)])
    ours = WAKEWORD.apply(x)
    assert ours.shape == (3, *WAKEWORD.shape(15_872)) == (3, 30, 1, 40)
    np.testing.assert_allclose(WAKEWORD.traced(tf.constant(x)).numpy(), ours, atol=2e-4)


def test_its_gradient_is_that_of_differences(recording):
    sound, _ = recording
    x = tf.constant(sound[np.newaxis, 16_000 : 16_000 + 15_872])
    weights = tf.constant(np.random.default_rng(0).normal(size=(30, 1, 40)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(WAKEWORD.traced(x) * weights)
    gradient = tape.gradient(value, x).numpy()
    assert np.isfinite(gradient).all()
    way = np.sign(gradient).astype(np.float32) * 1e-6

    def exact(wave_):
        return float(np.sum(WAKEWORD.apply(wave_) * weights.numpy(), dtype=np.float64))

    rise = exact(x.numpy() + way) - exact(x.numpy() - way)
    assert rise == pytest.approx(2 * float((gradient * way).sum()), rel=0.05)


def test_mlperf_tinys_file_finds_the_three_words_behind_it(recording, data_root):
    sound, windows = recording
    interpreter = Interpreter(str(data_root / "mlperf-tiny/sww-conv1d/int8.tflite"))
    interpreter.allocate_tensors()
    (entry,), (exit_,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero = entry["quantization"]
    features = WAKEWORD.apply(sound[np.newaxis])[0]
    found = []
    for end in range(30, len(features) + 1):
        codes = np.clip(np.rint(features[end - 30 : end] / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(entry["index"], codes[np.newaxis])
        interpreter.invoke()
        if interpreter.get_tensor(exit_["index"])[0].argmax() == 0:
            found.append(((end - 1) * WAKEWORD.hop + WAKEWORD.frame) / WAKEWORD.rate)
    # A detection counts from the word's start to one second behind its end.
    for start, stop in windows:
        assert any(start <= each <= stop + 1 for each in found)
