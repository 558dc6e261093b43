from __future__ import annotations

import numpy as np
import pytest

from qbench.artifacts import Preprocessing, TaskInfo
from qbench.data import IMAGE
from qbench.errors import UserError
from qbench.surrogate.registry import check_surrogate, open_surrogate, surrogate_file, usual_surrogate
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
    assert surrogate_file(name, bundle.content.artifacts) == file
    preprocessing = bundle.content.preprocessing
    found = open_surrogate(name, bundle.path, preprocessing, IMAGE, TaskInfo())
    assert found.name == opened
    x = np.random.default_rng(0).random((4, 8, 8, 1), np.float32)
    alone = open_surrogate(name, bundle.path / file, preprocessing, IMAGE, TaskInfo())
    assert np.array_equal(Scorer(found, 4)(x), Scorer(alone, 4)(x))


@pytest.mark.parametrize("name", ["flaot", "lifted:stee", "float:ste", ""])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(UserError):
        check_surrogate(name)


@pytest.mark.parametrize(("name", "file"), [("float", "int8.tflite"), ("lifted", "float.keras")])
def test_a_file_of_the_other_kind_is_refused(tmp_path, name, file):
    with pytest.raises(UserError, match="cannot be made of"):
        open_surrogate(name, tmp_path / file, Preprocessing(), IMAGE, TaskInfo())


def test_the_usual_one_is_what_the_bundle_has():
    assert usual_surrogate(["float.keras", "int8.tflite"]) == "float"
    assert usual_surrogate(["int8.onnx"]) == "lifted:clipped-ste"
    assert surrogate_file("lifted", ["int8.onnx"]) == "int8.onnx"
    assert surrogate_file("float", ["int8.onnx"]) is None


def test_a_bundle_that_is_surrogate_only_cannot_be_lifted(tmp_path):
    (tmp_path / "float.keras").touch()
    with pytest.raises(UserError, match="nothing to make") as caught:
        open_surrogate("lifted", tmp_path, Preprocessing(), IMAGE, TaskInfo())
    assert "surrogate-only" in caught.value.cause
    assert caught.value.hint == "use --surrogate float"
