"""The replay stage on a small real bundle: scores, interruptions, a full disk, and what does not fit."""

import shutil
import subprocess
from contextlib import contextmanager

import keras
import numpy as np
import pytest
import tensorflow as tf

from qbench.artifacts import AdvsetContent, EpsResult, Recipe, begin, load
from qbench.data import load_dataset
from qbench.errors import EnvironmentLacks, UserError
from qbench.progress import SILENT, Silent
from qbench.runtimes import RUNTIMES, available, runtime_class
from qbench.stages.export.run import export
from qbench.stages.replay.run import replay
from qbench.surrogate.keras import KerasSurrogate
from qbench.surrogate.scoring import Scorer
from tests.conftest import bytes_of
from tests.unit.runtimes.conftest import tflite_bytes

COUNT = 600
EPS = (0.001, 0.1)  # the first one vanishes on an 8-bit grid
INT8 = ("tflite", "tflite-ref", "tflite-builtin", "onnx")


def write_advset(bundle, out, **changes):
    """Random signs on drawn digits: a weak attack, but one that is made in no time."""
    content, rng = bundle.content, np.random.default_rng(0)
    digits = load_dataset("digits")
    rows = rng.integers(0, len(digits.test), COUNT)
    x = digits.inputs(digits.test.x[rows])
    surrogate = KerasSurrogate.load(bundle.path / "float.keras", content.preprocessing, content.data.domain)
    scorer = Scorer(surrogate)
    arrays = {"inputs": x, "labels": digits.test.y[rows], "indices": rows, "logits-clean": scorer(x)}
    for i, eps in enumerate(EPS):
        x_adv = np.clip(x + np.float32(eps) * rng.choice(np.float32([-1, 1]), x.shape), 0, 1)
        arrays |= {f"eps-{i}": x_adv, f"logits-eps-{i}": scorer(x_adv)}
    data = changes.get("data", content.data)
    fitting = {
        "float32": lambda each: np.resize(each, (COUNT, *data.input_shape)),
        "logits": lambda each: each[:, : len(data.classes)],
        "int64": lambda each: each % len(data.classes),
    }
    arrays = {
        name: fitting["logits" if "logits" in name else str(each.dtype)](each) if name != "indices" else each
        for name, each in arrays.items()
    }
    with begin(out, Recipe("advset", {"made": "by a test"}, {"bundle": bundle.manifest.key})) as draft:
        for name, array in arrays.items():
            np.save(draft.path / f"{name}.npy", array)
        found = {
            "data": content.data,
            "preprocessing": content.preprocessing,
            "attack": "signs",
            "norm": "linf",
            "oracle": None,
            "findings": None,
            "surrogate": "float",
            "grid": "float",
            "count": COUNT,
            "clean_correct": 0,
            "results": tuple(
                EpsResult(eps=eps, file=f"eps-{i}.npy", correct=0, unchanged=0, sizes=None, queries=None)
                for i, eps in enumerate(EPS)
            ),
        }
        return draft.commit(AdvsetContent(**(found | changes)))


@pytest.fixture(scope="module")
def signs(bundle, tmp_path_factory):
    return write_advset(bundle, tmp_path_factory.mktemp("signs") / "advset")


@pytest.fixture(scope="module")
def here():
    """Every runtime of this machine that a replay takes by itself."""
    return [name for name, lacks in available().items() if lacks is None and runtime_class(name).usual()]


@pytest.fixture(scope="module")
def whole(bundle, signs, tmp_path_factory):
    """A replay on all runtimes of this machine, never interrupted."""
    return replay(bundle.path, signs.path, [], tmp_path_factory.mktemp("whole") / "replay", threads=2)


def saved(folder, name):
    return np.load(folder.path / f"{name}.npy")


def test_without_names_every_runtime_that_is_here_is_used(whole, here):
    assert [each.runtime.name for each in whole.content.scores] == here
    assert set(INT8) < set(here)
    pairs = {(each.first, each.second) for each in whole.content.disagreements}
    assert len(pairs) == len(here) * (len(here) - 1) / 2
    assert len(whole.content.disagreements) == len(pairs) * (1 + len(EPS))


@pytest.mark.parametrize("name", RUNTIMES)
def test_every_output_vector_is_kept_and_the_scores_follow_from_them(whole, signs, here, name):
    if name not in here:
        pytest.skip(f"{name} is not on this machine")
    (scores,) = (each for each in whole.content.scores if each.runtime.name == name)
    truth = saved(signs, "labels")
    clean = saved(whole, f"{name}/clean")
    assert clean.shape == (COUNT, 10)
    assert clean.dtype == (np.float32 if name == "float" else np.int8)
    right = clean.argmax(1) == truth
    surrogate_right = saved(signs, "logits-clean").argmax(1) == truth
    assert scores.clean_accuracy.count == right.sum() > COUNT // 5
    for i, at in enumerate(scores.by_eps):
        wrong = saved(whole, f"{name}/eps-{i}").argmax(1) != truth
        fooled = saved(signs, f"logits-eps-{i}").argmax(1) != truth
        base = right & surrogate_right & fooled
        assert (at.robust_accuracy.count, at.robust_accuracy.total) == ((~wrong).sum(), COUNT)
        assert (at.attack_success.count, at.attack_success.total) == ((wrong & right).sum(), right.sum())
        assert (at.transfer.count, at.transfer.total) == ((wrong & base).sum(), base.sum())
        assert at.float_success_before.count == (fooled & surrogate_right).sum()
        assert at.float_success_before.total == surrogate_right.sum()


def test_rounding_erases_a_perturbation_below_half_a_code(whole):
    for scores in whole.content.scores:
        weak, strong = scores.by_eps
        assert strong.erased.count == 0
        if scores.runtime.name == "float":
            assert weak.erased.count == weak.clamped.count == 0
            assert weak.float_success_after == weak.float_success_before
        else:
            assert weak.erased.count > 0.9 * COUNT
            assert weak.robust_accuracy == scores.clean_accuracy


def test_tflite_micro_agrees_with_the_reference_in_every_vector(whole, here):
    if "tflm" not in here:
        pytest.skip("qbench-tinyml[tflm] is not installed")
    pairs = [d for d in whole.content.disagreements if (d.first, d.second) == ("tflite-ref", "tflm")]
    assert [(d.labels.count, d.vectors.count, d.largest) for d in pairs] == [(0, 0, 0)] * 3


def test_threads_change_no_vector_and_a_finished_replay_is_found_again(bundle, signs, whole, tmp_path):
    alone = replay(bundle.path, signs.path, INT8, tmp_path / "one", threads=1)
    for name in INT8:
        for file in ("clean", "eps-0", "eps-1"):
            np.testing.assert_array_equal(saved(alone, f"{name}/{file}"), saved(whole, f"{name}/{file}"))
    before = (tmp_path / "one" / "manifest.json").stat().st_mtime_ns
    again = replay(bundle.path, signs.path, INT8, tmp_path / "one", threads=2)
    assert again.reused
    assert (tmp_path / "one" / "manifest.json").stat().st_mtime_ns == before


@pytest.mark.slow
def test_vendor_files_with_other_ends_score_alike(trained, signs, tmp_path):
    """int8, uint8 and float32 ends around the same integer network."""
    model = keras.models.load_model(trained.path / "float.keras", compile=False)
    found = {}
    for ends in (tf.int8, tf.uint8, tf.float32):
        vendor = tmp_path / f"{ends.name}.tflite"
        vendor.write_bytes(tflite_bytes(model, ends))
        made = export(trained.path, "digits", tmp_path / ends.name, adopt=vendor, max_drop=1)
        done = replay(made.path, signs.path, ["tflite"], tmp_path / f"replay-{ends.name}")
        assert saved(done, "tflite/clean").dtype == ends.name
        found[ends.name] = [(scores.clean_accuracy, scores.by_eps) for scores in done.content.scores]
    assert found["int8"] == found["uint8"] == found["float32"]
    assert found["float32"][0][1][0].erased.count > 0.9 * COUNT


class Interrupting(Silent):
    """A user who presses Ctrl-C after so many chunks."""

    def __init__(self, chunks):
        self.left = chunks

    @contextmanager
    def task(self, label, total):
        del label, total
        yield self.advance

    def advance(self, done):
        self.left -= done > 0
        if self.left < 0:
            raise KeyboardInterrupt


class Counting(Silent):
    """Counts the inputs that are reported as done."""

    def __init__(self):
        self.done, self.total = 0, 0

    @contextmanager
    def task(self, label, total):
        del label
        self.total += total
        yield self.advance

    def advance(self, done):
        self.done += done


@pytest.mark.parametrize("chunks", [0, 1, 4, 8, 13])
def test_an_interrupted_replay_goes_on_to_the_same_bytes(bundle, signs, tmp_path, chunks):
    names = ["tflite", "float"]
    with pytest.raises(KeyboardInterrupt):
        replay(bundle.path, signs.path, names, tmp_path / "a", threads=2, progress=Interrupting(chunks))
    assert not (tmp_path / "a").exists()
    (draft,) = tmp_path.glob(".a.*.partial")
    rows = sum(
        (file.stat().st_size - 128) // (10 * (4 if file.parent.name == "float" else 1))
        for file in draft.glob("*/*.npy")
    )
    assert rows >= chunks * 88, "every chunk that was reported as done is on the disk"
    progress = Counting()
    made = replay(bundle.path, signs.path, names, tmp_path / "a", threads=2, progress=progress)
    assert progress.done == progress.total == 2 * 3 * COUNT
    replay(bundle.path, signs.path, names, tmp_path / "b", threads=2)
    assert bytes_of(made.path) == bytes_of(tmp_path / "b")


def test_a_torn_journal_is_mended(bundle, signs, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        replay(bundle.path, signs.path, ["float"], tmp_path / "a", progress=Interrupting(5))
    (journal,) = tmp_path.glob(".a.*.partial/float/eps-0.npy")
    with journal.open("r+b") as file:
        file.truncate(128 + 300 * 40 + 17)
    made = replay(bundle.path, signs.path, ["float"], tmp_path / "a")
    replay(bundle.path, signs.path, ["float"], tmp_path / "b")
    assert bytes_of(made.path) == bytes_of(tmp_path / "b")


def test_another_artefact_is_another_replay(bundle, signs, tmp_path):
    """The settings of both bundles are the same; what they hold is not."""
    replay(bundle.path, signs.path, ["tflite-builtin"], tmp_path / "out")
    other = tmp_path / "bundle"
    shutil.copytree(bundle.path, other)
    found = load(other).manifest
    changed = found.model_copy(update={"content": found.content.model_copy(update={"network": "other"})})
    (other / "manifest.json").write_text(changed.model_dump_json())
    with pytest.raises(UserError, match="holds another replay") as caught:
        replay(other, signs.path, ["tflite-builtin"], tmp_path / "out")
    assert caught.value.cause == "it differs in bundle"


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for less than a replay."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24k", "none", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_keeps_what_was_computed(bundle, signs, small_disk, tmp_path):
    out = small_disk / "replay"
    names = ["tflite-builtin", "float"]
    with pytest.raises(EnvironmentLacks, match="is full") as caught:
        replay(bundle.path, signs.path, names, out)
    assert "same command again" in caught.value.hint
    (kept,) = small_disk.glob(".replay.*.partial")
    assert (kept / "tflite-builtin" / "clean.npy").stat().st_size == 128 + COUNT * 10
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    replay(bundle.path, signs.path, names, out)
    replay(bundle.path, signs.path, names, tmp_path / "b")
    assert bytes_of(out) == bytes_of(tmp_path / "b")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("domain", "its inputs are pixels from 0 to 255, the bundle's pixels from 0 to 1"),
        ("input_shape", "its inputs are 28x28x1, the bundle's 8x8x1"),
        ("classes", "it has 9 classes, the bundle 10"),
    ],
)
def test_an_advset_for_other_data_is_refused(bundle, tmp_path, part, said):
    data = bundle.content.data
    others = {
        "domain": data.domain.model_copy(update={"high": 255.0}),
        "input_shape": (28, 28, 1),
        "classes": data.classes[:-1],
    }
    other = write_advset(bundle, tmp_path / "a", data=data.model_copy(update={part: others[part]}))
    with pytest.raises(UserError, match=f"does not fit the bundle: {said}"):
        replay(bundle.path, other.path, ["tflite"], tmp_path / "out")


def test_an_advset_of_other_inputs_with_the_same_meaning_is_taken(bundle, tmp_path):
    """Transfer: another network's advset, of another draw of the same kind of data."""
    data = bundle.content.data.model_copy(update={"fingerprint": "0" * 64, "name": "other digits"})
    other = write_advset(bundle, tmp_path / "a", data=data)
    assert replay(bundle.path, other.path, ["tflite-builtin"], tmp_path / "out").content.count == COUNT


def test_mistakes_are_told(bundle, signs, tmp_path):
    def refused(*names, path=signs.path):
        with pytest.raises(UserError) as caught:
            replay(bundle.path, path, names, tmp_path / "out", progress=SILENT)
        return caught.value

    assert "did you mean 'tflite-ref'?" in refused("tflite-reff").hint
    assert refused("tflite", "tflite").what == "a runtime is named twice"
    assert "holds a qbench bundle" in refused("tflite", path=bundle.path).what
    with (signs.path / "eps-0.npy").open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(b"\0")
        file.flush()
        try:
            assert "is not the file that manifest.json describes" in refused("tflite").what
        finally:
            file.seek(0)
            file.write(first)
    assert not (tmp_path / "out").exists()
