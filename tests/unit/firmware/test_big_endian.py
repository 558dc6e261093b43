"""The runtime on an emulated big-endian processor: the file is read in its own byte order."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from qbench.boards.packed_weights import pack_weights
from qbench.places import firmware_sources
from tests.golden.cases import GENERATORS, Case, draw
from tests.golden.coarse import network
from tests.golden.oracles import host
from tests.unit.firmware.sources import runtime_sources

COMPILER, EMULATOR = "powerpc-linux-gnu-gcc", "qemu-ppc"
SEEDS = 4

pytestmark = pytest.mark.skipif(
    shutil.which(COMPILER) is None or shutil.which(EMULATOR) is None,
    reason=f"{COMPILER} or {EMULATOR} is not installed",
)

# Runs a model: a sample's inputs come from stdin one after another, its outputs go to stdout.
PROGRAM = r"""
#include <stdio.h>
#include "core/interpreter.h"
static uint8_t file[1 << 20] __attribute__((aligned(16))), arena[1 << 22] __attribute__((aligned(16)));
int main(int count, char **words) {
    FILE *from = fopen(words[count - 1], "rb");
    uint32_t size = (uint32_t)fread(file, 1, sizeof file, from);
    qb_interpreter it;
    if (qb_open(&it, file, size, arena, sizeof arena) != QB_OK) return 1;
    for (;;) {
        for (uint32_t i = 0; i < it.inputs.count; i++) {
            const qb_tensor *input = qb_input_tensor(&it, i);
            if (fread(qb_tensor_data(&it, input), 1, input->bytes, stdin) != input->bytes) return 0;
        }
        qb_invoke(&it);
        for (uint32_t i = 0; i < it.outputs.count; i++) {
            const qb_tensor *output = qb_output_tensor(&it, i);
            fwrite(qb_tensor_data(&it, output), 1, output->bytes, stdout);
        }
    }
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PROGRAM for the big-endian processor."""
    folder = tmp_path_factory.mktemp("big")
    (folder / "run.c").write_text(PROGRAM)
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-static"]
    sources = [folder / "run.c", *runtime_sources()]
    command = [COMPILER, *flags, f"-I{firmware_sources()}", "-o", folder / "run", *sources, "-lm"]
    subprocess.run(list(map(str, command)), check=True)
    return folder / "run"


def _swapped(array: np.ndarray) -> bytes:
    """Its elements with the highest byte first."""
    return np.asarray(array, array.dtype.newbyteorder(">")).tobytes()


def _agrees(case: Case, program: Path, folder: Path) -> bool:
    """Whether the emulated processor gives, byte for byte, what this machine does."""
    (folder / "model.tflite").write_bytes(case.model)
    given = b"".join(_swapped(x) for sample in zip(*case.inputs, strict=True) for x in sample)
    command = [EMULATOR, str(program), str(folder / "model.tflite")]
    found = subprocess.run(command, input=given, capture_output=True, check=True).stdout
    return found == b"".join(_swapped(y) for sample in zip(*host(case), strict=True) for y in sample)


@pytest.mark.parametrize("operator", GENERATORS)
def test_an_operator_gives_the_same(operator: str, program: Path, tmp_path: Path) -> None:
    wrong = [seed for seed in range(SEEDS) if not _agrees(draw(operator, seed), program, tmp_path)]
    assert wrong == []


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_packed_network_gives_the_same(bits: int, program: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(2).integers(-128, 128, (3, 1, 8, 8, 4)).astype(np.int8)
    assert _agrees(Case("packed", bits, pack_weights(network(bits)).content, (x,)), program, tmp_path)
