import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from qbench.artifacts import TensorSpec
from qbench.exporters.carray import model_data_c, model_data_h

INPUT = TensorSpec(name="x", shape=(8, 8, 1), dtype="int8", scale=1 / 255, zero_point=-128)
OUTPUT = TensorSpec(name="y", shape=(10,), dtype="float32")

PROBE = """
#include "model_data.h"
int length(void) { return (int)QB_MODEL_LENGTH; }
int misaligned(void) { return (int)((uintptr_t)qb_model_data % 16u); }
int elements(void) { return (int)(QB_MODEL_INPUT_ELEMENTS * 100 + QB_MODEL_OUTPUT_ELEMENTS); }
int last_extent(void) { static const int shape[QB_MODEL_INPUT_RANK] = QB_MODEL_INPUT_SHAPE; return shape[1]; }
int zero_point(void) { return QB_MODEL_INPUT_ZERO_POINT; }
float scale(void) { return QB_MODEL_INPUT_SCALE; }
"""


@pytest.mark.parametrize("length", [1, 16, 1000])
def test_the_array_compiles_as_c99_and_holds_the_bytes(tmp_path, length):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    content = np.random.default_rng(length).bytes(length)
    (tmp_path / "model_data.h").write_text(model_data_h(len(content), INPUT, OUTPUT))
    (tmp_path / "model_data.c").write_text(model_data_c(content))
    (tmp_path / "probe.c").write_text(PROBE)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC", "-o", "lib.so"]
    subprocess.run([compiler, *flags, "model_data.c", "probe.c"], cwd=tmp_path, check=True)
    built = ctypes.CDLL(str(tmp_path / "lib.so"))
    built.scale.restype = ctypes.c_float
    assert bytes((ctypes.c_uint8 * length).in_dll(built, "qb_model_data")) == content
    assert built.length() == length
    assert built.misaligned() == 0
    assert built.elements() == 6410
    assert built.last_extent() == 8
    assert built.zero_point() == -128
    assert built.scale() == np.float32(1 / 255)
