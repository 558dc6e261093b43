"""Whole networks, bit for bit, and the memory that they need."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from qbench.data import load_dataset
from qbench.runtimes.hostlib import HostModel
from tests.random_models.cases import Case
from tests.random_models.oracles import host, tflm

COUNT = 200


def _images(root: Path) -> NDArray[np.int8]:
    pixels = load_dataset(str(root / "cifar10-jpeg-test.zip")).test.x[:COUNT]
    return (pixels.astype(np.int16) - 128).astype(np.int8)[:, None]


def _keywords(root: Path) -> NDArray[np.int8]:
    with np.load(root / "mlperf-tiny" / "kws-dscnn" / "samples.npz") as samples:
        return samples["x"][:COUNT].astype(np.int8).reshape(-1, 1, 49, 10, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "inputs"), [("ic-resnet8", _images), ("kws-dscnn", _keywords)])
def test_equals_tflite_micro(data_root: Path, network: str, inputs: object) -> None:
    pytest.importorskip("tflite_micro")
    model = (data_root / "mlperf-tiny" / network / "int8.tflite").read_bytes()
    case = Case(network, 0, model, (inputs(data_root),))  # type: ignore[operator]
    (wanted,), (found,) = tflm(case), host(case)
    assert len(found) == COUNT
    assert np.array_equal(wanted, found)


@pytest.mark.parametrize(("network", "activations"), [("ic-resnet8", 49152), ("kws-dscnn", 16000)])
def test_needs_no_more_than_the_peak_of_live_activations(
    data_root: Path, network: str, activations: int
) -> None:
    model = HostModel((data_root / "mlperf-tiny" / network / "int8.tflite").read_bytes())
    tables = 10_000
    assert activations <= model.arena <= activations + tables
