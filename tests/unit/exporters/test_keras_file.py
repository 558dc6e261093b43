import json
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from qbench.errors import UserError
from qbench.exporters.keras_file import load_keras, save_keras


def test_saved_files_hold_the_network_and_no_time(model, samples, scores, tmp_path):
    save_keras(model, tmp_path / "a.keras")
    save_keras(model, tmp_path / "b.keras")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert json.loads(archive.read("metadata.json"))["date_saved"] == ""
    assert np.array_equal(load_keras(tmp_path / "a.keras")(samples, training=False), scores)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.keras", "b.keras"]


def test_addresses_of_shared_objects_are_not_stored(tmp_path):
    image = keras.Input((4,))
    shared = keras.regularizers.L2(0.1)
    x = layers.Dense(3, kernel_regularizer=shared)(image)
    model = keras.Model(image, layers.Dense(3, kernel_regularizer=shared)(x))
    save_keras(model, tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        assert str(id(shared)).encode() not in archive.read("config.json")
    assert load_keras(tmp_path / "a.keras").count_params() == model.count_params()


def two_inputs():
    ends = [keras.Input((4,)), keras.Input((4,))]
    return keras.Model(ends, layers.Dense(3)(layers.Add()(ends)))


def any_size():
    image = keras.Input((None, None, 1))
    return keras.Model(image, layers.Dense(3)(layers.GlobalAveragePooling2D()(image)))


def half_precision():
    image = keras.Input((4,))
    return keras.Model(image, layers.Dense(3, dtype="float16")(image))


def integers():
    image = keras.Input((4,), dtype="uint8")
    return keras.Model(image, layers.Dense(3)(layers.Rescaling(1 / 255)(image)))


def diverged():
    image = keras.Input((4,))
    dense = layers.Dense(3, activation="relu6", name="last")
    model = keras.Model(image, dense(image))
    dense.kernel.assign(np.full((4, 3), np.nan))
    return model


def code():
    image = keras.Input((4,))
    return keras.Model(image, layers.Dense(3)(layers.Lambda(lambda x: x * 2)(image)))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (two_inputs, "has 2 inputs and 1 outputs"),
        (any_size, r"takes \(None, None, None, 1\)"),
        (half_precision, "gives float16"),
        (integers, "takes uint8"),
        (diverged, "weight last/kernel of .* holds NaN"),
        (code, "cannot be loaded as a Keras network"),
    ],
)
def test_networks_that_are_no_classifier_are_refused(build, said, tmp_path):
    build().save(tmp_path / "mine.keras")
    with pytest.raises(UserError, match=said):
        load_keras(tmp_path / "mine.keras")


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_cut_file_is_said_to_be_cut(model, tmp_path, suffix):
    path = tmp_path / f"mine.{suffix}"
    model.save(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UserError, match="cannot be loaded") as caught:
        load_keras(path)
    assert "not found" not in str(caught.value.cause), "the file is there"
    assert "whole" in str(caught.value.hint)


def test_a_keras_2_file_loads(data_root):
    model = load_keras(data_root / "mlperf-tiny" / "ic-resnet8" / "float.h5")
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 10)
