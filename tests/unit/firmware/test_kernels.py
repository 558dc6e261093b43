"""The kernels by themselves: arrays and parameters, no model file and no interpreter."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from qbench.places import firmware_sources

SOURCES = firmware_sources()

# What a part of the firmware may include, besides its own headers and those of C.
INCLUDES = {
    "core": set(),
    "operators": {"core", "kernels"},
    "kernels": set(),
    "kernels/portable": {"kernels"},
    "link": {"core"},
}

# Over 1 ... 9, padded by zeros: a filter of ones, whose sums are halved (a half is rounded away from zero),
# and one that takes each input from 4. Both are clamped.
CONVOLUTION = r"""
#include <stdio.h>
#include "kernels/kernels.h"
int main(void) {
    const int8_t input[9] = {4, 5, 6, 7, 8, 9, 10, 11, 12};   /* zero point 3: 1 ... 9 */
    const int8_t ones[18] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0};
    const int32_t bias[2] = {0, 4};
    qk_scale scales[2];
    const qk_window axis = {.input = 3, .output = 3, .filter = 3, .stride = 1, .dilation = 1, .before = 1};
    const qk_conv_2d_params p = {.rows = axis, .columns = axis, .batches = 1, .input_channels = 1,
                                 .output_channels = 2, .groups = 1, .input_zero = 3, .output_zero = -5,
                                 .range = {-128, 10}};
    const qk_weights weights = {ones, bias, scales};
    int16_t scratch[9];
    int8_t output[18];
    if (!qk_scale_of(0.5, &scales[0]) || !qk_scale_of(2.0, &scales[1])) return 1;
    if (qk_conv_2d_scratch(&p) != sizeof scratch) return 2;
    qk_conv_2d(&p, input, &weights, scratch, output);
    for (int i = 0; i < 18; i++) printf("%d ", output[i]);
}
"""
_SUMS = [12, 21, 16, 27, 45, 33, 24, 39, 28]
_FIRST = [min((s + 1) // 2 - 5, 10) for s in _SUMS]
_SECOND = [min(2 * (4 - x) - 5, 10) for x in range(1, 10)]

# A unit with all that its zero points add: sum of (x - 2) * (w - 1), + 10.
FULLY_CONNECTED = r"""
#include <stdio.h>
#include "kernels/kernels.h"
int main(void) {
    const int8_t input[3] = {5, -4, 2}, weights_of[6] = {1, 2, 3, -7, 0, 127};
    const qk_fully_connected_params p = {.batches = 1, .depth = 3, .units = 2, .input_zero = 2,
                                         .weights_zero = 1, .output_zero = 0, .range = {-128, 127}};
    const int32_t bias[2] = {qk_folded_bias(&p, 10, 1 + 2 + 3), qk_folded_bias(&p, 10, -7 + 0 + 127)};
    qk_scale scales[2];
    const qk_weights weights = {weights_of, bias, scales};
    int8_t output[2];
    if (!qk_scale_of(1.0, &scales[0]) || !qk_scale_of(1.0, &scales[1])) return 1;
    qk_fully_connected(&p, input, &weights, output);
    printf("%d %d %s", output[0], output[1], qk_kernel_set());
}
"""


def _run(program: str, folder: Path) -> list[str]:
    """What a program that is linked with the kernels alone prints."""
    (folder / "program.c").write_text(program)
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", f"-I{SOURCES}"]
    sources = [folder / "program.c", *sorted(SOURCES.glob("kernels/portable/*.c"))]
    command = ["cc", *flags, "-o", folder / "program", *sources, "-lm"]
    subprocess.run(list(map(str, command)), check=True)
    done = subprocess.run([str(folder / "program")], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_convolution_on_known_numbers(tmp_path: Path) -> None:
    found = list(map(int, _run(CONVOLUTION, tmp_path)))
    assert found[0::2] == _FIRST
    assert found[1::2] == _SECOND


def test_a_fully_connected_layer_on_known_numbers(tmp_path: Path) -> None:
    first = (5 - 2) * (1 - 1) + (-4 - 2) * (2 - 1) + (2 - 2) * (3 - 1) + 10
    second = (5 - 2) * (-7 - 1) + (-4 - 2) * (0 - 1) + (2 - 2) * (127 - 1) + 10
    assert _run(FULLY_CONNECTED, tmp_path) == [str(first), str(second), "portable"]


@pytest.mark.parametrize("part", INCLUDES)
def test_includes_point_one_way(part: str) -> None:
    seen = set()
    for path in [*(SOURCES / part).glob("*.c"), *(SOURCES / part).glob("*.h")]:
        for name in re.findall(r'#include "([^"]+)"', path.read_text()):
            header = (path.parent / name).resolve()
            assert header.is_file()
            seen.add(header.parent.relative_to(SOURCES.resolve()).as_posix())
    assert seen <= INCLUDES[part] | {part}


def test_the_parts_of_the_core_meet_in_the_context() -> None:
    inside = {
        "context": {"model"},
        "operator": {"context"},
        "reader": {"context"},
        "interpreter": {"context"},
    }
    for header, wanted in inside.items():
        found = re.findall(r'#include "(\w+)\.h"', (SOURCES / "core" / f"{header}.h").read_text())
        assert set(found) == wanted
