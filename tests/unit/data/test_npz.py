"""`.npz` files: which domain they get, and what is refused."""

import numpy as np
import pytest

from qbench.data import IMAGE, INT8_FEATURES, features, load_dataset
from qbench.errors import UserError

Y = np.array([0, 1, 2])
PIXELS = np.arange(3 * 2 * 2 * 3, dtype=np.uint8).reshape(3, 2, 2, 3)


@pytest.fixture
def load(tmp_path):
    def save_and_load(**arrays):
        np.savez(tmp_path / "mine.npz", **arrays)
        return load_dataset(str(tmp_path / "mine.npz"))

    return save_and_load


def test_uint8_images(load):
    data = load(x=PIXELS, y=Y.astype(np.uint8), classes=np.array(["cat", "dog", "frog"]))
    assert (data.name, data.domain, data.classes) == ("mine", IMAGE, ("cat", "dog", "frog"))
    assert data.train is None
    assert np.array_equal(data.test.x, PIXELS)
    assert data.test.y.dtype == np.int64


def test_grey_images_without_a_channel_axis_get_one(load):
    assert load(x=PIXELS[..., 0], y=Y).test.x.shape == (3, 2, 2, 1)


def test_two_splits_and_labels_in_a_column(load):
    data = load(x_train=PIXELS, y_train=Y[:, None], x_test=PIXELS[:2], y_test=Y[:2, None])
    assert (len(data.train), len(data.test)) == (3, 2)
    assert data.classes == ("0", "1", "2")


def test_int8_codes_carry_what_they_stand_for(load):
    codes = np.array([[-128], [0], [127]], np.int8)
    data = load(x=codes, y=Y, scale=0.5, zero_point=-3)
    assert data.domain == INT8_FEATURES
    assert data.preprocessing.apply(data.inputs(codes)).ravel().tolist() == [-62.5, 1.5, 65]
    assert load(x=codes, y=Y).preprocessing is None


def test_floats_are_features_within_their_own_bounds(load):
    data = load(x=np.array([[-2.5], [0], [4]]), y=Y)
    assert data.domain == features(-2.5, 4)
    assert data.test.x.dtype == np.float32
    assert data.inputs(data.test.x).ravel().tolist() == [-2.5, 0, 4]


def test_bounds_cover_both_splits(load):
    x = np.array([[1.0], [2], [3]])
    assert load(x_train=x, y_train=Y, x_test=x + 5, y_test=Y).domain == features(1, 8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_images_on_the_pixel_grid_are_pixels_again(load, dtype):
    every_level = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    data = load(x=every_level.astype(dtype) / dtype(255), y=Y[:1])
    assert data.domain == IMAGE
    assert np.array_equal(data.test.x, every_level)


def test_float_images_off_the_pixel_grid_are_features_between_0_and_1(load):
    x = np.full((3, 2, 2, 1), 0.3, np.float32)
    data = load(x=x, y=Y)
    assert data.domain == features(0, 1)
    assert np.array_equal(data.inputs(data.test.x), x)


BAD = {
    "no x": ({"inputs": PIXELS, "y": Y}, "has no x and y"),
    "train without test": ({"x_train": PIXELS, "y_train": Y}, "has no x and y"),
    "lengths": ({"x": PIXELS, "y": Y[:2]}, "3 inputs and 2 labels"),
    "empty": ({"x": PIXELS[:0], "y": Y[:0]}, "0 inputs"),
    "empty floats": ({"x": np.zeros((0, 4)), "y": Y[:0]}, "0 inputs"),
    "x of int32": ({"x": PIXELS.astype(np.int32), "y": Y}, "are int32 of shape [3, 2, 2, 3]"),
    "flat pixels": ({"x": PIXELS[:, 0, :, 0], "y": Y}, "are uint8 of shape [3, 2]"),
    "no features": ({"x": np.zeros(3), "y": Y}, "are float64 of shape [3]"),
    "float labels": ({"x": PIXELS, "y": Y * 1.0}, "labels of mine are float64"),
    "values in one split": (
        {"x_train": PIXELS, "y_train": Y, "x_test": PIXELS, "y_test": Y / 2},
        "the splits of mine differ in what y holds",
    ),
    "one-hot labels": ({"x": PIXELS, "y": np.eye(3, dtype=int)}, "labels of mine are int64 of shape [3, 3]"),
    "labels above": ({"x": PIXELS, "y": Y, "classes": np.array(["a", "b"])}, "labels run from 0 to 2"),
    "labels below": ({"x": PIXELS, "y": Y - 1}, "labels run from -1"),
    "garbage labels": ({"x": PIXELS, "y": Y * 10**12}, "run up to 2000000000000"),
    "NaN": ({"x": np.array([[0.0], [np.nan], [1]]), "y": Y}, "first in input 1"),
    "NaN in an image": ({"x": np.full((3, 2, 2, 1), np.nan), "y": Y}, "first in input 0"),
    "mixed": ({"x_train": PIXELS, "y_train": Y, "x_test": PIXELS / 255, "y_test": Y}, "different dtypes"),
    "numbers as classes": ({"x": PIXELS, "y": Y, "classes": Y}, "the classes of mine are int64"),
    "half a scale": ({"x": PIXELS.astype(np.int8), "y": Y, "scale": 0.5}, "both scale and zero_point"),
    "scale 0": ({"x": PIXELS.astype(np.int8), "y": Y, "scale": 0, "zero_point": 1}, "has scale 0"),
    "zero point": ({"x": PIXELS.astype(np.int8), "y": Y, "scale": 1, "zero_point": 128}, "zero_point 128"),
}


@pytest.mark.parametrize(("arrays", "words"), BAD.values(), ids=BAD.keys())
def test_unfit_arrays_are_refused(load, arrays, words):
    with pytest.raises(UserError) as caught:
        load(**arrays)
    assert words in caught.value.what


def test_pickled_objects_are_not_loaded(load):
    with pytest.raises(UserError, match=r"cannot be read as \.npz"):
        load(x=np.array([{}, [], ()], dtype=object), y=Y)


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_a_truncated_file_is_refused(tmp_path, keep):
    whole, cut = tmp_path / "whole.npz", tmp_path / "cut.npz"
    np.savez(whole, x=PIXELS, y=Y)
    cut.write_bytes(whole.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"cannot be read as \.npz"):
        load_dataset(str(cut))


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", PIXELS)
    (tmp_path / "x.npy").rename(tmp_path / "x.npz")
    with pytest.raises(UserError, match="a single array"):
        load_dataset(str(tmp_path / "x.npz"))


def test_keyword_spotting_samples(data_root):
    data = load_dataset(str(data_root / "mlperf-tiny" / "kws-dscnn" / "samples.npz"))
    assert (data.test.x.shape, data.test.x.dtype) == ((600, 49, 10, 1), np.int8)
    assert (data.domain, len(data.classes), data.train) == (INT8_FEATURES, 12, None)
