"""Front ends against TensorFlow's own operators, real recordings, and differences."""

import json
import wave

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from qbench.frontends import FRONT_ENDS

WAKEWORD, KEYWORDS = FRONT_ENDS["wakeword"], FRONT_ENDS["keywords"]


@pytest.fixture(scope="module")
def recording(data_root):
    """The first channel of MLPerf Tiny's recording, in [-1, 1], and its true windows in seconds."""
    folder = data_root / "mlperf-tiny/sww-conv1d"
    with wave.open(str(folder / "short.wav")) as file:
        stored = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        assert file.getframerate() == WAKEWORD.rate
    (said,) = json.loads((folder / "short.json").read_text())
    return stored[:, 0].astype(np.float32) / 32768, said["detection_windows"]


@pytest.mark.parametrize(
    ("front_end", "ends"), [(WAKEWORD, (513, 16_000, 0.0, 8000.0)), (KEYWORDS, (257, 16_000, 20.0, 4000.0))]
)
def test_mel_bands_are_tensorflows(front_end, ends):
    theirs = tf.signal.linear_to_mel_weight_matrix(40, *ends).numpy()
    np.testing.assert_allclose(front_end._mel_matrix, theirs, atol=1e-5)


def sounds(recording, samples=16_000):
    sound, _ = recording
    return np.stack([sound[start : start + samples] for start in (14_000, 16_000, 64_000)])


@pytest.mark.parametrize(("front_end", "shape"), [(WAKEWORD, (30, 1, 40)), (KEYWORDS, (49, 10, 1))])
def test_graph_and_arrays_agree(recording, front_end, shape):
    x = sounds(recording)
    ours = front_end.apply(x)
    assert ours.shape == (3, *front_end.shape(16_000)) == (3, *shape)
    np.testing.assert_allclose(front_end.traced(tf.constant(x)).numpy(), ours, atol=1e-3)


def test_the_coefficients_are_those_of_the_benchmarks_own_operators(recording):
    x = sounds(recording)
    scaled = tf.constant(x / x.max(axis=1, keepdims=True))
    spectra = tf.abs(tf.signal.stft(scaled, 480, 320, window_fn=tf.signal.hann_window))
    bands = tf.signal.linear_to_mel_weight_matrix(40, spectra.shape[-1], 16_000, 20.0, 4000.0)
    logs = tf.math.log(tf.tensordot(spectra, bands, 1) + 1e-6)
    theirs = tf.signal.mfccs_from_log_mel_spectrograms(logs)[..., :10].numpy()
    np.testing.assert_allclose(KEYWORDS.apply(x)[..., 0], theirs, atol=2e-3)


def test_silence_has_features():
    silence = np.zeros((1, 16_000), np.float32)
    for front_end in FRONT_ENDS.values():
        assert np.isfinite(front_end.apply(silence)).all()
        x = tf.constant(silence)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = front_end.traced(x)
        assert np.isfinite(value.numpy()).all()
        assert np.isfinite(tape.gradient(value, x).numpy()).all()


@pytest.mark.parametrize("front_end", [WAKEWORD, KEYWORDS], ids=["wakeword", "keywords"])
def test_a_gradient_is_that_of_differences(recording, front_end):
    x = tf.constant(sounds(recording)[1:2])
    weights = tf.constant(np.random.default_rng(0).normal(size=front_end.shape(16_000)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(front_end.traced(x) * weights)
    gradient = tape.gradient(value, x).numpy()
    assert np.isfinite(gradient).all()
    way = np.sign(gradient).astype(np.float32) * 1e-6

    def exact(wave_):
        return float(np.sum(front_end.apply(wave_) * weights.numpy(), dtype=np.float64))

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
