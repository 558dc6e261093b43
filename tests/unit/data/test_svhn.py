"""SVHN from `.mat` files such as its authors publish."""

import numpy as np
import pytest
from scipy.io import savemat

from qbench.data import IMAGE, load_dataset
from qbench.errors import EnvironmentLacks, UserError

X = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), np.uint8)
Y = np.array([[1], [10], [9], [10]], np.uint8)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "svhn").mkdir()
    savemat(tmp_path / "svhn" / "test_32x32.mat", {"X": X, "y": Y}, do_compression=True)
    return tmp_path / "svhn"


def test_a_folder_with_the_mat_files(folder):
    data = load_dataset(str(folder))
    assert (data.name, data.domain, data.train) == ("svhn", IMAGE, None)
    assert data.classes == tuple("0123456789")
    assert data.test.y.tolist() == [1, 0, 9, 0]
    assert np.array_equal(data.test.x[2], X[..., 2])


def test_by_name_with_both_splits(folder, monkeypatch):
    savemat(folder / "train_32x32.mat", {"X": X[..., :3], "y": Y[:3]})
    monkeypatch.setenv("QBENCH_DATA", str(folder.parent))
    data = load_dataset("svhn")
    assert (len(data.train), len(data.test)) == (3, 4)


@pytest.mark.parametrize("root", [None, "."])
def test_absent(root, tmp_path, monkeypatch):
    monkeypatch.delenv("QBENCH_DATA", raising=False)
    if root:
        monkeypatch.setenv("QBENCH_DATA", str(tmp_path / root))
    with pytest.raises(EnvironmentLacks) as caught:
        load_dataset("svhn")
    assert "test_32x32.mat" in caught.value.hint


@pytest.mark.parametrize("content", ["cut", "other", "text", "empty"])
def test_a_damaged_or_other_file(folder, content):
    path = folder / "test_32x32.mat"
    if content == "other":
        savemat(path, {"Z": X})
    else:
        path.write_bytes({"cut": path.read_bytes()[:-500], "text": b"hello" * 99, "empty": b""}[content])
    with pytest.raises(UserError, match="cannot be read as a file of SVHN"):
        load_dataset(str(folder))
