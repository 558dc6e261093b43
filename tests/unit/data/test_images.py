"""Class folders of images, in folders and zips, and the cache of what was decoded."""

import os
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from qbench.data import IMAGE, load_dataset
from qbench.errors import UserError


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("QBENCH_CACHE", str(folder))
    return folder


def paint(path, value=0, *, size=(4, 3), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode in ("L", "1", "I;16") else (value,) * len(mode)).save(path)


def pack(folder, archive):
    shutil.make_archive(str(archive.with_suffix("")), "zip", folder)
    return archive


@pytest.fixture
def folder(tmp_path):
    """Two cats and a dog, each of its own grey level."""
    for value, name in enumerate(("dog/a.png", "cat/b.bmp", "cat/a.png")):
        paint(tmp_path / "pets" / name, value)
    return tmp_path / "pets"


class Notes:
    """Keeps what a stage tells."""

    def __init__(self):
        self.notes, self.tasks = [], []

    def task(self, label, total):
        from qbench.progress import SILENT

        self.tasks.append((label, total))
        return SILENT.task(label, total)

    def note(self, text):
        self.notes.append(text)


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_or_zip_of_class_folders_is_a_test_split(folder, tmp_path, packed):
    (folder / "README.txt").write_text("not an image")
    paint(folder / "__MACOSX" / "cat" / "a.png")
    data = load_dataset(str(pack(folder, tmp_path / "pets.zip") if packed else folder))
    assert (data.name, data.domain, data.classes, data.train) == ("pets", IMAGE, ("cat", "dog"), None)
    assert data.test.x.shape == (3, 3, 4, 3)
    assert data.test.x[:, 0, 0, 0].tolist() == [2, 1, 0]
    assert data.test.y.tolist() == [0, 0, 1]


@pytest.mark.parametrize("inner", ["", "pets/v2/"])
def test_train_and_test_folders_are_splits_even_below_a_common_folder(tmp_path, inner):
    for value, name in enumerate(("train/cat/a.png", "train/dog/a.png", "test/cat/a.png", "test/dog/a.png")):
        paint(tmp_path / "both" / inner / name, value)
    data = load_dataset(str(tmp_path / "both"))
    assert data.train.x[:, 0, 0, 0].tolist() == [0, 1]
    assert data.test.x[:, 0, 0, 0].tolist() == [2, 3]


@pytest.mark.parametrize("given", ["pets-train.zip", "pets-test.zip", "pets"])
def test_sibling_zips_are_one_data_set(folder, tmp_path, given):
    pack(folder, tmp_path / "pets-train.zip")
    (folder / "cat" / "a.png").unlink()
    pack(folder, tmp_path / "pets-test.zip")
    shutil.rmtree(folder)
    data = load_dataset(str(tmp_path / given))
    assert (data.name, len(data.train), len(data.test)) == ("pets", 3, 2)


@pytest.mark.parametrize("given", ["pets-train.zip", "pets"])
def test_a_zip_without_its_sibling_is_a_test_split(folder, tmp_path, given):
    pack(folder, tmp_path / "pets-train.zip")
    shutil.rmtree(folder)
    data = load_dataset(str(tmp_path / given))
    assert (data.name, data.train, len(data.test)) == ("pets-train", None, 3)


def test_grey_images_have_one_channel_and_palettes_three(tmp_path):
    paint(tmp_path / "grey" / "a" / "1.png", 7, mode="L")
    assert load_dataset(str(tmp_path / "grey")).test.x.shape == (1, 3, 4, 1)
    paint(tmp_path / "colour" / "a" / "1.png", 9, mode="RGBA")
    (tmp_path / "colour" / "b").mkdir()
    Image.new("RGB", (4, 3), (9, 9, 9)).quantize(4).save(tmp_path / "colour" / "b" / "1.png")
    assert np.unique(load_dataset(str(tmp_path / "colour")).test.x).tolist() == [9]


def test_jpegs_are_decoded_as_pillow_does(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    path = tmp_path / "noise" / "a" / "1.JPG"
    path.parent.mkdir(parents=True)
    Image.fromarray(pixels).save(path)
    assert np.array_equal(load_dataset(str(tmp_path / "noise")).test.x[0], np.asarray(Image.open(path)))


def test_the_second_load_decodes_nothing(folder):
    heard = Notes()
    first = load_dataset(str(folder), progress=heard)
    assert heard.tasks == [("decoding pets", 3)]
    second = load_dataset(str(folder), progress=heard)
    assert len(heard.tasks) == 1
    assert first.fingerprint == second.fingerprint


def test_a_changed_image_is_decoded_anew(folder):
    load_dataset(str(folder))
    paint(folder / "cat" / "a.png", 200)
    assert load_dataset(str(folder)).test.x[0].max() == 200


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_cache_entry_is_made_again(folder, cache, damage):
    whole = load_dataset(str(folder)).fingerprint
    (entry,) = cache.rglob("*.npz")
    content = bytearray(entry.read_bytes())
    flipped = content.replace(b"\x02\x02\x02", b"\x02\x03\x02", 1)
    assert flipped != content
    entry.write_bytes({"cut": content[:-30], "flip": flipped, "empty": b""}[damage])
    heard = Notes()
    assert load_dataset(str(folder), progress=heard).fingerprint == whole
    assert "is damaged" in heard.notes[0]
    assert load_dataset(str(folder), progress=heard).fingerprint == whole
    assert len(heard.notes) == 1
    assert [path.suffix for path in entry.parent.iterdir()] == [".npz"]


def test_a_cache_that_cannot_be_written_is_no_error(folder, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("QBENCH_CACHE", str(tmp_path / "file"))
    heard = Notes()
    assert len(load_dataset(str(folder), progress=heard).test) == 3
    assert "QBENCH_CACHE" in heard.notes[-1]


def test_a_full_disk_leaves_the_data_and_no_debris(folder, cache):
    pytest.importorskip("resource")
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n"
        "from qbench.data import load_dataset\n"
        f"print(len(load_dataset({str(folder)!r}).test))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("3\n", "")
    assert not [path for path in cache.rglob("*") if path.is_file()]


def refusal(path):
    with pytest.raises(UserError) as caught:
        load_dataset(str(path))
    return caught.value


def test_an_empty_folder(tmp_path):
    assert "holds no images" in refusal(tmp_path).what


def test_a_corrupt_zip(folder, tmp_path):
    archive = pack(folder, tmp_path / "pets.zip")
    archive.write_bytes(archive.read_bytes()[:-40])
    assert "cannot be opened as a zip" in refusal(archive).what


def test_a_damaged_member_of_a_zip_is_named(folder, tmp_path):
    archive = tmp_path / "stored.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.write(folder / "cat" / "a.png", "cat/a.png")
        out.write(folder / "dog" / "a.png", "dog/a.png")
    content = bytearray(archive.read_bytes())
    content[content.rfind(b"IHDR") + 5] ^= 1
    archive.write_bytes(content)
    assert "dog/a.png in" in refusal(archive).what


def test_a_truncated_jpeg_is_named(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    for name in ("a", "b"):
        path = tmp_path / "jpegs" / "cat" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert "cat/b.jpg in" in refusal(tmp_path / "jpegs").what
    assert "truncated" in refusal(tmp_path / "jpegs").what


def test_text_called_an_image_is_named(folder):
    (folder / "cat" / "c.png").write_text("hello")
    assert refusal(folder).what == f"cat/c.png in {folder} cannot be decoded: not an image"


@pytest.mark.parametrize(
    ("change", "found"), [({"size": (5, 3)}, "5x3 with 3"), ({"mode": "L"}, "1 channel,")]
)
def test_the_first_image_of_another_shape_is_named(folder, change, found):
    paint(folder / "cat" / "c.png", **change)
    paint(folder / "dog" / "b.png", size=(9, 9))
    assert f"cat/c.png in {folder} is" in refusal(folder).what
    assert found in refusal(folder).what


def test_16_bit_images_are_refused(tmp_path):
    paint(tmp_path / "deep" / "a" / "1.png", mode="I;16")
    assert "convert it to 8-bit" in refusal(tmp_path / "deep").hint


@pytest.mark.parametrize("stray", ["loose.png", "cat/tabby/a.png", "train/cat/a.png"])
def test_an_image_outside_the_class_folders_is_named(folder, stray):
    paint(folder / stray)
    assert "is not in a class folder" in refusal(folder).what


def test_splits_with_different_classes(tmp_path):
    for name in ("train/cat/a.png", "train/dog/a.png", "test/cat/a.png"):
        paint(tmp_path / "both" / name)
    assert "only one has dog" in refusal(tmp_path / "both").what


@pytest.mark.slow
def test_cifar10_jpeg_loads_at_once_the_second_time(data_root):
    for part in ("train", "test"):
        if not (data_root / f"cifar10-jpeg-{part}.zip").is_file():
            pytest.skip("no CIFAR-10-JPEG under QBENCH_DATA")
    first = load_dataset(str(data_root / "cifar10-jpeg-test.zip"))
    assert (first.train.x.shape, first.test.x.shape) == ((50_000, 32, 32, 3), (10_000, 32, 32, 3))
    assert first.classes[0] == "airplane"
    assert len(first.classes) == 10
    assert np.bincount(first.test.y).tolist() == [1000] * 10
    start = sum(os.times()[:4])  # of this process and its children, on all cores: other tests run beside it
    second = load_dataset(str(data_root / "cifar10-jpeg"))
    assert sum(os.times()[:4]) - start < 2
    assert second.fingerprint == first.fingerprint
