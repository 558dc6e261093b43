from __future__ import annotations

import numpy as np
import pytest

from qbench.artifacts import Preprocessing
from qbench.data import IMAGE
from qbench.errors import UserError
from qbench.surrogate.registry import open_surrogate, surrogate_file
from qbench.surrogate.scoring import Scorer


@pytest.mark.parametrize(
    ("name", "file", "opened"),
    [
        ("float", "float.keras", "float"),
        ("lifted", "int8.tflite", "lifted:clipped-ste"),
        ("lifted:smooth", "int8.tflite", "lifted:smooth"),
    ],
)
def test_a_bundle_has_every_surrogate(bundle, name, file, opened):
    assert surrogate_file(name) == file
    preprocessing = bundle.content.preprocessing
    found = open_surrogate(name, bundle.path, preprocessing, IMAGE)
    assert found.name == opened
    x = np.random.default_rng(0).random((4, 8, 8, 1), np.float32)
    alone = open_surrogate(name, bundle.path / file, preprocessing, IMAGE)
    assert np.array_equal(Scorer(found, 4)(x), Scorer(alone, 4)(x))


@pytest.mark.parametrize("name", ["flaot", "lifted:stee", "float:ste", ""])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(UserError):
        surrogate_file(name)


@pytest.mark.parametrize(("name", "file"), [("float", "int8.tflite"), ("lifted", "float.keras")])
def test_a_file_of_the_other_kind_is_refused(tmp_path, name, file):
    with pytest.raises(UserError, match="cannot be made of"):
        open_surrogate(name, tmp_path / file, Preprocessing(), IMAGE)
