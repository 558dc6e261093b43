"""ONNX Runtime's 16-bit sums: found out where they happen, named, and avoided."""

import shutil
import subprocess
import sys
import sysconfig

import pytest

from qbench.runtimes import runtime_class, runtimes_for
from qbench.runtimes.onnx import EXACT, SATURATING
from qbench.runtimes.saturation import saturates

PROBE = "from qbench.runtimes.saturation import saturates as s; print(s(precise=False), s(precise=True))"


def test_exact_arithmetic_is_exact_here():
    assert not saturates(precise=True)


def test_the_kernels_name_says_what_this_machine_does(bundle):
    content = bundle.content
    info = content.artifacts["int8.onnx"]
    for name in ("onnx", "onnx-exact"):
        kind = runtime_class(name)
        runtime = kind(bundle.path / "int8.onnx", info.input, info.output)
        assert runtime.kernels == (SATURATING if saturates(precise=False) and not kind.precise else EXACT)
        runtime.close()


def test_the_exact_runtime_runs_by_itself_where_the_other_saturates(bundle):
    assert ("onnx-exact" in runtimes_for(bundle.content)) == saturates(precise=False)


@pytest.mark.skipif(
    shutil.which("qemu-x86_64") is None or not sysconfig.get_platform().endswith("x86_64"),
    reason="needs qemu-user's x86-64",
)
def test_a_cpu_without_vnni_is_recognized():
    """Haswell: AVX2 without VNNI."""
    command = ["qemu-x86_64", "-cpu", "Haswell", sys.executable, "-c", PROBE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.split() == ["True", "False"]
