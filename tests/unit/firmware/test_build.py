"""The C sources: sanitizers, fuzzing, and the compiler of the boards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from golden.cases import GENERATORS, draw
from golden.oracles import host

from qbench.runtimes.hostlib import firmware_sources

HOST = firmware_sources() / "host"

# Runs models with the library under AddressSanitizer, in a process that has little else in it.
_UNDER_SANITIZERS = """
import json, sys
from pathlib import Path
import numpy as np
from qbench.runtimes.hostlib import HostModel

folder, library = Path(sys.argv[1]), Path(sys.argv[2])
for path in sorted(folder.glob("*.tflite")):
    model = HostModel(path.read_bytes(), library)
    with np.load(path.with_suffix(".npz")) as stored:
        count = len([k for k in stored.files if k.startswith("in")])
        found = model.run(*(stored[f"in{i}"] for i in range(count)))
        assert all(np.array_equal(a, stored[f"out{i}"]) for i, a in enumerate(found)), path.name
    model.close()
print("clean")
"""


def _make(target: str, build: Path) -> None:
    subprocess.run(["make", "-s", "-C", str(HOST), f"BUILD={build}", target], check=True)


def test_no_operator_trips_a_sanitizer(tmp_path: Path) -> None:
    _make("sanitized", tmp_path)
    runtime = subprocess.run(
        ["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    preload = runtime.stdout.strip()
    if not Path(preload).is_file():
        pytest.skip("the C compiler has no libasan")
    for operator in GENERATORS:
        for seed in range(4):
            case = draw(operator, seed)
            (tmp_path / f"{operator}-{seed}.tflite").write_bytes(case.model)
            arrays = {f"in{i}": a for i, a in enumerate(case.inputs)}
            arrays |= {f"out{i}": a for i, a in enumerate(host(case))}
            np.savez(tmp_path / f"{operator}-{seed}.npz", **arrays)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _UNDER_SANITIZERS,
            str(tmp_path),
            str(tmp_path / "libqbench_host_sanitized.so"),
        ],
        env={**os.environ, "LD_PRELOAD": preload, "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "clean"


@pytest.mark.slow
def test_mutated_models_fail_cleanly_or_run(tmp_path: Path) -> None:
    _make("fuzz_model_gcc", tmp_path)
    seeds = []
    for operator in GENERATORS:
        seeds.append(tmp_path / f"{operator}.tflite")
        seeds[-1].write_bytes(draw(operator, 0).model)
    command = [str(tmp_path / "fuzz_model_gcc"), "100000", "1", *map(str, seeds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "100000 executions, no fault\n"


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7", "cortex-m55"])
def test_compiles_for_the_boards(tmp_path: Path, core: str) -> None:
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    sources = [*HOST.parent.glob("core/*.c"), *HOST.parent.glob("kernels/*.c")]
    flags = [
        f"-mcpu={core}",
        "-mthumb",
        "-std=c99",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-ffp-contract=off",
    ]
    subprocess.run([compiler, *flags, "-c", *map(str, sources)], check=True, cwd=tmp_path)
    assert len(list(tmp_path.glob("*.o"))) == len(sources)


def test_core_and_kernels_keep_no_state_and_call_no_allocator(tmp_path: Path) -> None:
    sources = [*HOST.parent.glob("core/*.c"), *HOST.parent.glob("kernels/*.c")]
    subprocess.run(["cc", "-std=c99", "-O1", "-fno-pic", "-c", *map(str, sources)], check=True, cwd=tmp_path)
    objects = sorted(map(str, tmp_path.glob("*.o")))
    table = subprocess.run(["nm", *objects], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[-2:] for line in table.splitlines() if line and not line.endswith(":")]
    writable = [name for kind, name in symbols if kind in "bBDdC"]
    outside = {name for kind, name in symbols if kind == "U" and not name.startswith("qb_")}
    assert writable == []
    memory, arithmetic = (
        {"memcpy", "memset", "memcmp"},
        {"exp", "tanh", "frexp", "round", "roundf", "floor", "floorf"},
    )
    assert outside <= memory | arithmetic | {"fmin", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}
