"""MLPerf Tiny's ResNet-8 and images for it."""

import numpy as np
import pytest

from qbench.artifacts import Preprocessing
from qbench.attacks import Victims
from qbench.data import IMAGE, load_dataset
from qbench.surrogate.keras import KerasSurrogate

COUNT = 128


@pytest.fixture(scope="session")
def resnet8(data_root):
    file = data_root / "mlperf-tiny" / "ic-resnet8" / "float.h5"
    return KerasSurrogate.load(file, Preprocessing(scale=255.0), IMAGE)


@pytest.fixture(scope="session")
def victims(data_root):
    data = load_dataset(str(data_root / "cifar10-jpeg-test.zip"))
    rows = np.random.default_rng(0).permutation(len(data.test))[:COUNT]
    return Victims(data.inputs(data.test.x[rows]), data.test.y[rows], rows)
