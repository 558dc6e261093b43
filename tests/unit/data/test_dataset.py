"""The types of a data set, and what they refuse."""

import dataclasses

import numpy as np
import pytest

from qbench.artifacts import Preprocessing
from qbench.data import IMAGE, INT8_FEATURES, Dataset, Split, features
from qbench.errors import UserError


def make(x, y=(0, 1), *, domain=IMAGE, train=None, **more):
    test = Split(np.asarray(x), np.array(y, np.int64))
    return Dataset("tiny", domain, ("a", "b"), train, test, **more)


PIXELS = np.array([[[[0]]], [[[255]]]], np.uint8)


def test_pixels_become_values_in_0_1_and_codes_stay():
    assert make(PIXELS).inputs(PIXELS).ravel().tolist() == [0, 1]
    codes = np.array([[-128], [127]], np.int8)
    assert make(codes, domain=INT8_FEATURES).inputs(codes).ravel().tolist() == [-128, 127]
    assert make(codes, domain=INT8_FEATURES).inputs(codes).dtype == np.float32


def test_the_fingerprint_follows_bytes_labels_and_meaning():
    base = make(PIXELS)
    others = [
        make(PIXELS[::-1]),
        make(PIXELS, y=(1, 0)),
        make(PIXELS, train=base.test),
        make(PIXELS, preprocessing=Preprocessing(scale=2)),
        dataclasses.replace(base, classes=("a", "c")),
    ]
    assert len({base.fingerprint, *(other.fingerprint for other in others)}) == 6
    assert make(PIXELS.copy()).fingerprint == base.fingerprint
    assert dataclasses.replace(base, name="other").fingerprint == base.fingerprint


def test_the_info_is_what_artefacts_record():
    info = make(PIXELS).info
    assert (info.name, info.input_shape, info.classes) == ("tiny", (1, 1, 1), ("a", "b"))
    assert type(info).model_validate_json(info.model_dump_json()) == info


def test_the_info_of_features_has_bounds_that_json_can_hold():
    info = make(np.array([[-2.5], [4]], np.float32), domain=features(-2.5, 4)).info
    assert type(info).model_validate_json(info.model_dump_json()).domain == features(-2.5, 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x": PIXELS, "y": (0,)}, "2 inputs and 1 labels"),
        ({"x": PIXELS[:0], "y": ()}, "0 inputs"),
        ({"x": PIXELS, "y": (0, 2)}, "labels run from 0 to 2, but there are 2 classes"),
        ({"x": PIXELS, "y": (-1, 0)}, "labels run from -1"),
        ({"x": PIXELS / 255}, "inputs are float64; their domain is stored as uint8"),
        ({"x": PIXELS, "train": Split(PIXELS.reshape(1, 2, 1, 1), np.zeros(1, np.int64))}, "[2, 1, 1]"),
    ],
)
def test_unfit_data_is_refused(arguments, words):
    with pytest.raises(UserError) as caught:
        make(**arguments)
    assert words in caught.value.what


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_first_input_with_a_value_that_is_no_number_is_named(bad):
    x = np.zeros((3, 4), np.float32)
    x[1, 2] = bad
    with pytest.raises(UserError, match="first in input 1"):
        make(x, (0, 0, 1), domain=features(0, 1))
