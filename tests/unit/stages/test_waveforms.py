"""A budget stated in the waveform: MLPerf Tiny's streaming wakeword behind its front end."""

import wave

import numpy as np
import pytest

import qbench
from qbench.artifacts import Preprocessing
from qbench.data import load_dataset
from qbench.errors import UserError
from qbench.frontends import WAKEWORD
from qbench.inputs import SAMPLE, SampleGrid
from qbench.quant import Quantization
from qbench.reporting.tables import advset_tables
from qbench.runtimes import open_runtime

LENGTH = 15_872
FILES = {"wakeword": [14_000, 15_000, 16_000, 62_000, 63_000, 110_000], "other": [0, 30_000, 80_000, 95_000]}


def write(path, samples, *, rate=16_000, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, "<i2").tobytes())


@pytest.fixture(scope="module")
def sounds(data_root, tmp_path_factory):
    """A folder of class folders, cut from the benchmark's recording."""
    folder = tmp_path_factory.mktemp("sounds") / "words"
    with wave.open(str(data_root / "mlperf-tiny/sww-conv1d/short.wav")) as file:
        stored = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    for label, starts in FILES.items():
        for start in starts:
            write(folder / label / f"{start}.wav", stored[start : start + LENGTH, 0])
    write(folder / "_background_noise_" / "noise.wav", stored[:1000, 0])
    return folder


@pytest.fixture(scope="module")
def bundle(data_root, sounds):
    network = data_root / "mlperf-tiny/sww-conv1d"
    # The network's classes are wakeword, silence, other: the folder's are put into that order by a file.
    data = load_dataset(str(sounds))
    order = {"wakeword": 0, "other": 2}
    y = np.array([order[data.classes[label]] for label in data.test.y])
    np.savez(sounds.parent / "words.npz", x=data.test.x, y=y)
    return qbench.export(
        network / "float.h5",
        str(sounds.parent / "words.npz"),
        sounds.parent / "bundle",
        adopt=network / "int8.tflite",
        front_end="wakeword",
        classes="wakeword,silence,other",
        max_drop=1.0,
    )


def test_a_folder_of_sounds_is_a_data_set(sounds):
    data = load_dataset(str(sounds))
    assert data.classes == ("other", "wakeword")
    assert data.domain.name == "waveform"
    assert data.test.x.shape == (10, LENGTH)
    assert data.test.x.dtype == np.int16
    assert data.inputs(data.test.x).min() >= -1


def test_speech_commands_lists_make_the_splits(tmp_path):
    for label in ("no", "yes"):
        for i in range(4):
            write(tmp_path / "d" / label / f"{i}.wav", np.arange(100 + i))
    (tmp_path / "d/testing_list.txt").write_text("no/0.wav\nyes/1.wav\n")
    (tmp_path / "d/validation_list.txt").write_text("no/3.wav\n")
    data = load_dataset(str(tmp_path / "d"))
    assert (len(data.train), len(data.test)) == (5, 2)
    assert data.test.x.shape[1] == data.train.x.shape[1] == 103
    assert data.test.x[0].tolist() == [*range(100), 0, 0, 0]


@pytest.mark.parametrize(
    ("rate", "seconds", "says"), [(8000, 1, "at 8,000 a second"), (16_000, 11, "lasts 11 s")]
)
def test_sounds_that_no_front_end_takes_are_refused(tmp_path, rate, seconds, says):
    write(tmp_path / "d/a/x.wav", np.zeros(rate * seconds), rate=rate)
    with pytest.raises(UserError, match=says):
        load_dataset(str(tmp_path / "d"))
    (tmp_path / "d/a/x.wav").write_bytes(b"RIFF")
    with pytest.raises(UserError, match="cannot be read as"):
        load_dataset(str(tmp_path / "d"))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_samples_are_rounded_inside_the_ball_and_then_seen_through_the_front_end(norm):
    random = np.random.default_rng(0)
    x = (random.integers(-3000, 3000, (3, LENGTH)) * SAMPLE).astype(np.float32)
    eps = 5 * SAMPLE if norm == "linf" else 40 * SAMPLE
    step = random.normal(size=x.shape)
    step *= eps / (np.abs(step).max() if norm == "linf" else np.linalg.norm(step, axis=1, keepdims=True))
    x_adv = (x + step).astype(np.float32)
    quantization = Quantization(1 / 255, -128, "int8")
    grid = SampleGrid(quantization, Preprocessing(front_end="wakeword"))
    found = grid.rounded(x_adv, x, eps, norm)
    levels = found.values / SAMPLE
    assert np.array_equal(levels, np.rint(levels)), "whole 16-bit samples"
    change = levels - x / SAMPLE
    sizes = np.abs(change).max(axis=1) if norm == "linf" else np.linalg.norm(change, axis=1)
    assert (sizes <= eps / SAMPLE + 1e-6).all()
    assert np.array_equal(found.codes, quantization.quantize(WAKEWORD.apply(found.values)))
    assert np.array_equal(found.codes, grid.codes_near(x_adv, x, eps, norm))
    assert np.array_equal(found.values, grid.seen(x_adv, x, eps, norm))


def test_the_word_is_attacked_in_the_waveform_and_replayed_as_the_device_hears_it(bundle, sounds, tmp_path):
    assert bundle.content.preprocessing.front_end == "wakeword"
    assert bundle.content.data.input_shape == (LENGTH,)
    assert bundle.content.artifacts["int8.tflite"].input.shape == (30, 1, 40)
    data = str(sounds.parent / "words.npz")
    eps = [8 * SAMPLE, 200 * SAMPLE]
    made = qbench.attack(bundle.path, data, tmp_path / "a", attack="pgd", steps=10, eps=eps, checks=False)
    weak, strong = made.content.results
    assert strong.correct < made.content.clean_correct
    assert strong.snr_db is not None
    assert weak.snr_db is None or weak.snr_db > strong.snr_db
    assert "mean SNR dB" in advset_tables(made.content)[0].columns
    replay = qbench.replay(bundle.path, made.path, ["tflite-ref", "host", "float"], tmp_path / "r")
    clean, *_ = replay.content.scores
    assert clean.clean_accuracy.count >= 8
    for each in replay.content.scores:
        assert each.by_eps[1].robust_accuracy.count < each.clean_accuracy.count
    x = np.load(made.path / "inputs.npy")
    entry = bundle.content.artifacts["int8.tflite"].input
    codes = entry.quantization.quantize(WAKEWORD.apply(x))
    runtime = open_runtime("tflite-ref", bundle.path, bundle.content)
    assert np.array_equal(runtime.invoke(codes), np.load(replay.path / "tflite-ref/clean.npy"))
    page = qbench.report([replay.path], tmp_path / "page", html=True)
    assert "data:audio/wav;base64" in (page.path / "report.html").read_text()


def test_the_integer_file_alone_has_a_gradient_in_the_waveform(bundle, sounds, tmp_path):
    made = qbench.attack(
        bundle.path,
        str(sounds.parent / "words.npz"),
        tmp_path / "a",
        attack="bim",
        steps=5,
        eps=[300 * SAMPLE],
        surrogate="lifted:clipped-ste",
        checks=False,
    )
    assert made.content.results[0].correct < made.content.clean_correct


def test_a_front_end_that_does_not_fit_is_refused(data_root, sounds, tmp_path):
    network = data_root / "mlperf-tiny/sww-conv1d/float.h5"
    data = str(sounds.parent / "words.npz")
    with pytest.raises(UserError, match="takes inputs of shape") as caught:
        qbench.export(network, data, tmp_path / "b", classes="wakeword,silence,other")
    assert "--front-end wakeword" in caught.value.hint
    with pytest.raises(UserError, match="holds no sound"):
        qbench.export(network, "digits", tmp_path / "b", front_end="wakeword")
    with pytest.raises(UserError, match="range behind a front end"):
        qbench.export(network, data, tmp_path / "b", front_end="wakeword", ptq_weight_bits=4)
