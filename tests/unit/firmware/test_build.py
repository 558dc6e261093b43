"""The C sources: sanitizers, fuzzing, and the compiler of the boards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qbench.boards.packed_weights import pack_weights
from qbench.places import firmware_sources
from qbench.runtimes.hostlib import HostModel
from tests.random_models.cases import GENERATORS, Case, draw
from tests.random_models.coarse import network
from tests.random_models.oracles import host
from tests.unit.firmware.sources import compile_each, runtime_sources

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


# Opens a model with an arena of each of the sizes given, and prints the status and what it says it needs.
_ARENAS = r"""
#include <stdio.h>
#include <stdlib.h>
#include "core/interpreter.h"
int main(int count, char **words) {
    static uint8_t file[1 << 16] __attribute__((aligned(16)));
    FILE *from = fopen(words[1], "rb");
    uint32_t size = (uint32_t)fread(file, 1, sizeof file, from);
    for (int i = 2; i < count; i++) {
        uint32_t arena_size = (uint32_t)atoi(words[i]);
        void *arena = aligned_alloc(16, (arena_size + 31) / 16 * 16);
        qb_interpreter it;
        qb_open(&it, file, size, arena, arena_size);
        printf("%d %u\n", (int)it.error.status, it.error.needed);
        free(arena);
    }
}
"""

# Fails to compile where a table has another size than on the host.
_SIZES = """
#include "core/model.h"
typedef char tensor[sizeof(qb_tensor) == {} ? 1 : -1], node[sizeof(qb_node) == {} ? 1 : -1];
"""


def _make(target: str, build: Path) -> None:
    subprocess.run(["make", "-s", "-C", str(HOST), f"BUILD={build}", target], check=True)


def _packed_cases() -> list[Case]:
    """A packed network of each width."""
    x = np.random.default_rng(2).integers(-128, 128, (3, 1, 8, 8, 4)).astype(np.int8)
    return [Case("packed", bits, pack_weights(network(bits)).content, (x,)) for bits in (1, 2, 4)]


def test_no_operator_trips_a_sanitizer(tmp_path: Path) -> None:
    _make("sanitized", tmp_path)
    runtime = subprocess.run(
        ["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    preload = runtime.stdout.strip()
    if not Path(preload).is_file():
        pytest.skip("the C compiler has no libasan")
    for case in (*(draw(operator, seed) for operator in GENERATORS for seed in range(4)), *_packed_cases()):
        name = f"{case.operator}-{case.seed}"
        (tmp_path / f"{name}.tflite").write_bytes(case.model)
        arrays = {f"in{i}": a for i, a in enumerate(case.inputs)}
        arrays |= {f"out{i}": a for i, a in enumerate(host(case))}
        np.savez(tmp_path / f"{name}.npz", **arrays)
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


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7", "cortex-m55"])
def test_compiles_for_the_boards(tmp_path: Path, core: str) -> None:
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    flags = ["-mthumb", "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"]
    objects = compile_each([compiler, f"-mcpu={core}", *flags], runtime_sources(), tmp_path)
    assert len(set(objects)) == len(runtime_sources())


def test_the_runtime_keeps_no_state_and_calls_no_allocator(tmp_path: Path) -> None:
    objects = compile_each(["cc", "-std=c99", "-O1", "-fno-pic"], runtime_sources(), tmp_path)
    table = subprocess.run(["nm", *objects], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[-2:] for line in table.splitlines() if line and not line.endswith(":")]
    writable = [name for kind, name in symbols if kind in "bBDdC"]
    outside = {name for kind, name in symbols if kind == "U" and not name.startswith(("qb_", "qk_"))}
    assert writable == []
    memory, arithmetic = (
        {"memcpy", "memset", "memcmp"},
        {"exp", "tanh", "frexp", "round", "roundf", "floor", "floorf"},
    )
    assert outside <= memory | arithmetic | {"fmin", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}


@pytest.mark.parametrize(
    "model", [draw("conv_2d", 1).model, pack_weights(network(2)).content], ids=["whole", "packed"]
)
def test_an_arena_that_is_too_small_is_told_and_never_left(tmp_path: Path, model: bytes) -> None:
    source, program = tmp_path / "arenas.c", tmp_path / "arenas"
    source.write_text(_ARENAS)
    runtime = [*runtime_sources(), source]
    flags = [
        "-std=gnu11",
        "-O1",
        "-fsanitize=address,undefined",
        f"-I{HOST.parent}",
        "-lm",
        "-o",
        str(program),
    ]
    subprocess.run(["cc", *map(str, runtime), *flags], check=True)
    need = HostModel(model).arena
    (tmp_path / "model.tflite").write_bytes(model)
    sizes = [*range(0, need, 16), need, need + 1]
    command = [str(program), str(tmp_path / "model.tflite"), *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert [status for status, _ in told] == [3] * (len(sizes) - 2) + [0, 0]
    assert all(size < needed <= need for size, (_, needed) in zip(sizes[:-2], told, strict=False))
    assert told[-3][1] == told[-2][1] == need


def test_tables_are_as_large_on_a_board_as_here(tmp_path: Path) -> None:
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    probe = tmp_path / "probe.c"
    probe.write_text(
        '#include <stdio.h>\n#include "core/model.h"\n'
        'int main(void) { printf("%zu %zu", sizeof(qb_tensor), sizeof(qb_node)); }'
    )
    subprocess.run(["cc", f"-I{HOST.parent}", str(probe), "-o", str(tmp_path / "probe")], check=True)
    sizes = subprocess.run([tmp_path / "probe"], capture_output=True, text=True, check=True).stdout.split()
    check = tmp_path / "check.c"
    check.write_text(_SIZES.format(*sizes))
    command = [
        compiler,
        "-mcpu=cortex-m4",
        f"-I{HOST.parent}",
        "-c",
        str(check),
        "-o",
        str(tmp_path / "check.o"),
    ]
    assert subprocess.run(command, check=False).returncode == 0
