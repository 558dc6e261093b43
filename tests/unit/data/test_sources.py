"""Finding a data set from what a user typed, and the embedded one."""

import numpy as np
import pytest

from qbench.data import DATASETS, IMAGE, load_dataset
from qbench.errors import UserError


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data folder with one data set, and a working folder beside it."""
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    np.savez(tmp_path / "data" / "deep" / "mine.npz", x=np.zeros((2, 3)), y=[0, 1])
    np.savez(tmp_path / "data" / "other.npz", x=np.ones((2, 3)), y=[0, 1])
    monkeypatch.setenv("QBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "data"


def test_digits():
    data = load_dataset("digits")
    assert (data.domain, data.classes) == (IMAGE, tuple("0123456789"))
    assert (data.train.x.shape, data.test.x.shape) == ((1437, 8, 8, 1), (360, 8, 8, 1))
    assert data.test.x.dtype == np.uint8
    assert len(np.unique(data.train.x)) == 17
    assert data.train.x.max() == 255
    shares = np.bincount(data.test.y) / np.bincount(np.concatenate([data.train.y, data.test.y]))
    assert np.allclose(shares, 0.2, atol=0.01)


def test_digits_are_the_same_every_time():
    expected = "498d31962b2cd8209e18bf9158fc271c8455de420b831585ce4f573c0d3194ff"
    assert load_dataset("digits").fingerprint == expected


def test_every_entry_is_registered_under_its_name():
    assert [entry.name for entry in DATASETS.values()] == list(DATASETS)
    assert all("\n" not in entry.description for entry in DATASETS.values())


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("spec", ["other", "other.npz", "deep/mine.npz", "deep/mine"])
def test_names_and_paths_under_the_data_folder(spec):
    assert load_dataset(spec).name == spec.split("/")[-1].removesuffix(".npz")


@pytest.mark.usefixtures("root")
def test_what_lies_here_comes_before_the_data_folder(tmp_path):
    np.savez(tmp_path / "here" / "other.npz", x=np.zeros((5, 3)), y=[0, 1, 0, 1, 0])
    assert len(load_dataset("other").test) == 5


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("typed", "meant"), [("digit", "digits"), ("othr", "other"), ("Cifar-10", "cifar10")]
)
def test_an_unknown_name_suggests_the_nearest(typed, meant):
    with pytest.raises(UserError) as caught:
        load_dataset(typed)
    assert f"did you mean {meant!r}" in caught.value.hint


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("spec", ["no/such/folder", "lost.npz", "/lost", ""])
def test_a_missing_path(spec):
    with pytest.raises(UserError, match="there is no data set"):
        load_dataset(spec)


def test_a_missing_path_without_a_data_folder(monkeypatch):
    monkeypatch.delenv("QBENCH_DATA", raising=False)
    with pytest.raises(UserError) as caught:
        load_dataset("lost.npz")
    assert "QBENCH_DATA" in caught.value.hint


def test_a_file_of_another_kind(root):
    (root / "notes.csv").write_text("1,2,3")
    with pytest.raises(UserError, match="not a data set that qbench reads"):
        load_dataset("notes.csv")
