"""What an artefact says of the machine and the tools that made it."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

from qbench import __version__
from qbench.artifacts.manifest import Environment
from qbench.artifacts.versions import package_version

PACKAGES = (
    "numpy",
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "ai-edge-litert",
    "tflite-micro",
    "onnx",
    "onnxruntime",
    "tf2onnx",
)

# The flags that choose a kernel in XNNPACK, oneDNN or ONNX Runtime.
_KERNEL_FLAGS = (
    "sse4_1",
    "avx",
    "avx2",
    "fma",
    "f16c",
    "avx512",
    "avx_vnni",
    "amx",
    "neon",
    "asimd",
    "sve",
    "i8mm",
)


@functools.cache
def environment() -> Environment:
    """The interpreter, the packages and the CPU of this process."""
    cpu = _cpu_info()
    flags = cpu.get("flags", cpu.get("Features", "")).split()
    return Environment(
        python=platform.python_version(),
        packages={"qbench": __version__}
        | {name: found for name in PACKAGES if (found := package_version(name))},
        machine=f"{platform.system()} {platform.machine()}",
        cpu=cpu.get("model name", platform.processor() or "unknown"),
        cpu_flags=tuple(sorted(f for f in flags if f.startswith(_KERNEL_FLAGS))),
    )


def _cpu_info() -> dict[str, str]:
    """The first processor of /proc/cpuinfo; empty where there is none."""
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}
