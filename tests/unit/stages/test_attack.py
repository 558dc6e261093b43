"""The attack stage on a small bundle that the test makes."""

import resource
import shutil

import keras
import numpy as np
import pytest

from qbench.artifacts import ArtifactInfo, BundleContent, Preprocessing, Recipe, TensorSpec, begin, load
from qbench.data import INT8_FEATURES, Dataset, Split, features
from qbench.data.arrays import dataset_from_arrays
from qbench.errors import EnvironmentLacks, UserError
from qbench.progress import Silent
from qbench.quant import size
from qbench.stages.attack.run import attack

SETTINGS = {"attack": "pgd", "eps": (0.1, 0.2), "steps": 3, "batch": 16, "count": 50, "checks": False}


def images(n=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (n, 4, 4, 1), np.uint8)
    arrays = {"x": x, "y": rng.integers(0, 3, n), "classes": np.array(["a", "b", "c"])}
    return dataset_from_arrays("noise", arrays)


def network(bias=0.0):
    keras.utils.set_random_seed(1)
    last = keras.layers.Dense(3, activation="softmax", bias_initializer=keras.initializers.Constant(bias))
    return keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), last])


def bundle_of(model, dataset, out):
    with begin(out, Recipe("bundle", {}, {"data": dataset.fingerprint})) as draft:
        model.save(draft.path / "float.keras")
        entry = TensorSpec(name="x", shape=(4, 4, 1), dtype="float32")
        exit_ = TensorSpec(name="y", shape=(3,), dtype="float32")
        content = BundleContent(
            network="small",
            data=dataset.info,
            preprocessing=Preprocessing(),
            artifacts={
                "float.keras": ArtifactInfo(bytes=1, input=entry, output=exit_, correct=None, evaluated=None)
            },
            calibration={},
            adopted=None,
        )
        return draft.commit(content).path


@pytest.fixture(scope="module")
def dataset():
    return images()


@pytest.fixture(scope="module")
def bundle(dataset, tmp_path_factory):
    return bundle_of(network(), dataset, tmp_path_factory.mktemp("bundle") / "bundle")


@pytest.fixture(scope="module")
def whole(bundle, dataset, tmp_path_factory):
    """An advset made without interruption."""
    return attack(bundle, dataset, tmp_path_factory.mktemp("whole") / "advset", **SETTINGS)


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


class Interrupting(Silent):
    """A user who presses Ctrl-C after so many batches."""

    def __init__(self, batches):
        self.left = batches

    def task(self, label, total):
        del label, total
        return self

    def __enter__(self):
        return self.advance

    def __exit__(self, *_):
        pass

    def advance(self, done):
        self.left -= done > 0
        if self.left < 0:
            raise KeyboardInterrupt


class Listening(Silent):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def test_the_folder_holds_what_it_says(whole, dataset):
    arrays = {file.stem: np.load(file) for file in whole.path.glob("*.npy")}
    assert set(arrays) == {
        "inputs",
        "labels",
        "indices",
        "logits-clean",
        "eps-0",
        "eps-1",
        "logits-eps-0",
        "logits-eps-1",
        "queries-eps-0",
        "queries-eps-1",
    }
    assert len(set(arrays["indices"])) == 50
    assert np.array_equal(arrays["inputs"], dataset.inputs(dataset.test.x[arrays["indices"]]))
    assert np.array_equal(arrays["labels"], dataset.test.y[arrays["indices"]])
    for i, result in enumerate(whole.content.results):
        found = arrays[f"eps-{i}"]
        assert (result.eps, result.file) == (SETTINGS["eps"][i], f"eps-{i}.npy")
        assert found.dtype == np.float32
        assert size(found - arrays["inputs"], "linf").max() <= result.eps + 1e-6
        assert result.correct == np.sum(arrays[f"logits-eps-{i}"].argmax(axis=1) == arrays["labels"])
        assert result.correct < whole.content.clean_correct
        assert result.unchanged == 0
        assert result.queries is None
        success = (arrays["logits-clean"].argmax(axis=1) == arrays["labels"]) & (
            arrays[f"logits-eps-{i}"].argmax(axis=1) != arrays["labels"]
        )
        moved = (found - arrays["inputs"])[success].reshape(success.sum(), -1)
        assert result.sizes.l2 == pytest.approx(np.linalg.norm(moved, axis=1).mean(), rel=1e-5)
        assert result.sizes.l0 == pytest.approx((moved != 0).sum(axis=1).mean())


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_an_interrupted_attack_goes_on_to_the_same_bytes(bundle, dataset, whole, tmp_path, batches):
    with pytest.raises(KeyboardInterrupt):
        attack(bundle, dataset, tmp_path / "advset", **SETTINGS, progress=Interrupting(batches))
    assert not (tmp_path / "advset").exists()
    attack(bundle, dataset, tmp_path / "advset", **SETTINGS)
    assert contents(tmp_path / "advset") == contents(whole.path)


def test_a_killed_attack_with_torn_files_goes_on_to_the_same_bytes(bundle, dataset, whole, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        attack(bundle, dataset, tmp_path / "advset", **SETTINGS, progress=Interrupting(2))
    (draft,) = tmp_path.glob(".advset.*")
    with (draft / "eps-0.npy").open("r+b") as file:
        file.truncate((draft / "eps-0.npy").stat().st_size - 5 * 64 - 3)
    attack(bundle, dataset, tmp_path / "advset", **SETTINGS)
    assert contents(tmp_path / "advset") == contents(whole.path)


def test_a_full_disk_keeps_what_was_written(bundle, dataset, whole, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20 * 64, hard))
    try:
        with pytest.raises(EnvironmentLacks, match="is full"):
            attack(bundle, dataset, tmp_path / "advset", **SETTINGS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    attack(bundle, dataset, tmp_path / "advset", **SETTINGS)
    assert contents(tmp_path / "advset") == contents(whole.path)


def test_finished_work_is_found(bundle, dataset, whole):
    assert attack(bundle, dataset, whole.path, **SETTINGS).reused
    with pytest.raises(UserError, match="holds another advset") as caught:
        attack(bundle, dataset, whole.path, **{**SETTINGS, "steps": 4})
    assert caught.value.cause == "it differs in steps"


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_pixel_grid_is_kept_within_the_ball(bundle, dataset, tmp_path, norm):
    eps = (0.4 / 255, 2.7 / 255, 0.3)
    made = attack(bundle, dataset, tmp_path / "a", **{**SETTINGS, "eps": eps}, norm=norm, grid="uint8")
    clean = np.load(made.path / "inputs.npy")
    pixels = np.arange(256, dtype=np.float32) / np.float32(255)
    for result in made.content.results:
        found = np.load(made.path / result.file)
        assert np.isin(found, pixels).all()
        assert size(found - clean, norm).max() <= result.eps + 1e-6
    assert made.content.results[0].unchanged == 50
    assert made.content.results[2].correct < made.content.clean_correct


def test_only_correct_takes_what_the_network_gets_right(bundle, dataset, tmp_path):
    listener = Listening()
    made = attack(bundle, dataset, tmp_path / "a", **SETTINGS, only_correct=True, progress=listener)
    count = made.content.count
    assert made.content.clean_correct == count < 50
    assert listener.notes == [f"there are {count} such inputs, not 50: all are taken"]
    right = np.load(made.path / "logits-clean.npy").argmax(axis=1) == np.load(made.path / "labels.npy")
    assert right.all()


def test_other_data_is_noted_and_unfit_data_refused(bundle, dataset, tmp_path):
    listener = Listening()
    attack(
        bundle,
        images(seed=1),
        tmp_path / "a",
        attack="fgsm",
        eps=(0.1,),
        count=5,
        checks=False,
        progress=listener,
    )
    assert listener.notes == ["the bundle was made with other data (noise) than is attacked (noise)"]
    wide = np.zeros((4, 5, 5, 1), np.uint8)
    unfit = Dataset("wide", dataset.domain, dataset.classes, None, Split(wide, np.zeros(4, np.int64)))
    with pytest.raises(UserError, match="its inputs are 5x5x1, the bundle's 4x4x1"):
        attack(bundle, unfit, tmp_path / "b", attack="fgsm", eps=(0.1,))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"eps": (-0.1,)}, "eps.0 should be greater than 0"),
        ({"eps": (4.0,)}, "wider than the whole image domain"),
        ({"step_size": float("nan")}, "step size nan cannot be used"),
        ({"steps": 0}, "steps 0 cannot be used"),
        ({"count": 0}, "count should be greater than or equal to 1"),
        ({"attack": "fgsm"}, "no setting of fgsm 'steps'"),
        ({"attack": "bim", "restarts": 2}, "no setting of bim 'restarts'"),
        ({"norm": "l0"}, "norm should be 'linf', 'l2' or 'l1'"),
        ({"attack": "pdg"}, "no attack 'pdg'"),
    ],
)
def test_settings_that_mean_nothing(bundle, dataset, tmp_path, changed, message):
    with pytest.raises(UserError, match=message):
        attack(bundle, dataset, tmp_path / "a", **{**SETTINGS, **changed})


def test_a_grid_needs_a_domain_with_steps(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 8)
    real = Dataset(
        "real",
        features(-1, 1),
        ("a", "b", "c"),
        None,
        Split(rng.uniform(-1, 1, (8, 4, 4, 1)).astype(np.float32), y),
    )
    with pytest.raises(UserError, match="needs inputs on a grid"):
        attack(
            bundle_of(network(), real, tmp_path / "b"),
            real,
            tmp_path / "a",
            attack="fgsm",
            eps=(0.1,),
            grid="uint8",
        )


def test_int8_features_are_attacked_in_codes(tmp_path):
    rng = np.random.default_rng(0)
    codes = rng.integers(-128, 128, (8, 4, 4, 1)).astype(np.int8)
    data = Dataset("codes", INT8_FEATURES, ("a", "b", "c"), None, Split(codes, rng.integers(0, 3, 8)))
    bundle = bundle_of(network(), data, tmp_path / "b")
    made = attack(bundle, data, tmp_path / "a", attack="fgsm", eps=(3.0,), grid="uint8")
    moved = np.load(made.path / "eps-0.npy") - np.load(made.path / "inputs.npy")
    assert np.abs(moved).max() == 3
    assert np.array_equal(moved, np.rint(moved))


def test_a_network_that_gives_nan_is_refused_before_the_attack(dataset, tmp_path):
    broken = bundle_of(network(bias=float("nan")), dataset, tmp_path / "b")
    with pytest.raises(UserError, match="the float network gives NaN or infinity"):
        attack(broken, dataset, tmp_path / "a", **SETTINGS)


def test_a_changed_network_is_noticed(bundle, dataset, tmp_path):
    shutil.copytree(bundle, tmp_path / "b")
    (tmp_path / "b" / "float.keras").write_bytes(b"")
    with pytest.raises(UserError, match="is not the file"):
        attack(tmp_path / "b", dataset, tmp_path / "a", **SETTINGS)


def test_the_header_says_how(whole):
    manifest = load(whole.path, "advset").manifest
    assert manifest.settings == {
        "attack": "pgd",
        "eps": [0.1, 0.2],
        "norm": "linf",
        "surrogate": "float",
        "oracle": None,
        "steps": 3,
        "step_size": None,
        "restarts": 1,
        "count": 50,
        "only_correct": False,
        "checks": False,
        "grid": "float",
        "batch": 16,
    }
