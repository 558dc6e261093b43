"""Linear networks in the plane as bundles, attacked by hand: every figure of a study is known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qbench.artifacts import (
    AdvsetContent,
    Artifact,
    ArtifactInfo,
    BundleContent,
    DataInfo,
    Domain,
    EpsResult,
    Preprocessing,
    Recipe,
    TensorSpec,
    begin,
)

PLANE = Domain(name="features", low=-4.0, high=4.0, step=None)


def data_info(fingerprint="0" * 64):
    return DataInfo(
        name="plane", fingerprint=fingerprint, domain=PLANE, classes=("below", "above"), input_shape=(2,)
    )


def linear(weights):
    """Logits (-w x, w x)."""
    import keras

    inputs = keras.Input((2,))
    layer = keras.layers.Dense(2, use_bias=False)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([np.stack([-np.array(weights), np.array(weights)], axis=1).astype(np.float32)])
    return model


def stepped():
    """The sign of the first coordinate: right answers, and a gradient of zero everywhere."""
    import keras

    inputs = keras.Input((2,))
    sign = keras.ops.sign(inputs)
    layer = keras.layers.Dense(2, use_bias=False)
    model = keras.Model(inputs, layer(sign))
    layer.set_weights([np.array([[-1, 1], [0, 0]], np.float32)])
    return model


class Plane:
    """Writes bundles and advsets.

    Attributes:
        x: [8, 2], four inputs on either side of both axes; y: [8] their labels, right for all networks.
    """

    x = np.array([[1, 1], [2, 1], [1, 2], [2, 2], [-1, -1], [-2, -1], [-1, -2], [-2, -2]], np.float32)
    y = np.array([1, 1, 1, 1, 0, 0, 0, 0], np.int64)

    def __init__(self, folder):
        self.folder = folder

    def bundle(self, name, model, data=None) -> Artifact[Any]:
        """A bundle with nothing but `float.keras`; its network is called after the last folder."""
        draft = begin(self.folder / name, Recipe("bundle", {"name": name}, {}))
        with draft:
            model.save(draft.path / "float.keras")
            spec = TensorSpec(name="x", shape=(2,), dtype="float32")
            info = ArtifactInfo(bytes=1, input=spec, output=spec, correct=8, evaluated=8)
            return draft.commit(
                BundleContent(
                    network=name.split("/")[-1],
                    data=data or data_info(),
                    preprocessing=Preprocessing(),
                    artifacts={"float.keras": info},
                    calibration={},
                    adopted=None,
                )
            )

    def advset(self, name, bundle, model, moved, eps=1.5, data=None) -> Artifact[Any]:
        """An advset of `x` moved by `moved` [8, 2]."""
        x_adv = self.x + np.asarray(moved, np.float32)
        inputs = {"bundle": bundle.manifest.digest, "data": "0"}
        draft = begin(self.folder / name, Recipe("advset", {"name": name, "only_correct": True}, inputs))
        clean, attacked = (np.asarray(model(each)) for each in (self.x, x_adv))
        with draft:
            for file, array in (
                ("inputs", self.x),
                ("labels", self.y),
                ("indices", np.arange(8)),
                ("logits-clean", clean),
                ("eps-0", x_adv),
                ("logits-eps-0", attacked),
            ):
                np.save(draft.path / f"{file}.npy", array)
            correct = int((attacked.argmax(axis=1) == self.y).sum())
            result = EpsResult(
                eps=eps, file="eps-0.npy", correct=correct, unchanged=0, sizes=None, queries=None
            )
            return draft.commit(
                AdvsetContent(
                    data=data or data_info(),
                    preprocessing=Preprocessing(),
                    attack="pgd",
                    norm="linf",
                    surrogate="float",
                    oracle=None,
                    grid="float",
                    count=8,
                    clean_correct=8,
                    results=(result,),
                    findings=(),
                )
            )


@pytest.fixture(scope="session")
def plane(tmp_path_factory):
    return Plane(tmp_path_factory.mktemp("plane"))


@pytest.fixture(scope="session")
def right(plane):
    """Looks at the first coordinate."""
    return plane.bundle("right", linear([1, 0]))


@pytest.fixture(scope="session")
def twin(plane):
    """The same, twice as sure of itself."""
    return plane.bundle("twin", linear([2, 0]))


@pytest.fixture(scope="session")
def up(plane):
    """Looks at the second coordinate."""
    return plane.bundle("up", linear([0, 1]))


@pytest.fixture(scope="session")
def on_right(plane, right):
    """1.5 against the first coordinate, which takes the four inputs at 1 across the axis."""
    return plane.advset("on-right", right, linear([1, 0]), 1.5 * np.sign(-plane.x) * [1, 0])


@pytest.fixture(scope="session")
def on_up(plane, up):
    """1.5 against the second."""
    return plane.advset("on-up", up, linear([0, 1]), 1.5 * np.sign(-plane.x) * [0, 1])
