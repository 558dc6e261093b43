"""The deepest stack, from the compiler's call graph."""

import re
import shutil

import pytest

from qbench.boards import BOARDS
from qbench.boards.image import build, footprint, functions
from qbench.boards.stack import RESERVED, measure_stack
from qbench.errors import InternalFault
from qbench.places import firmware_sources

GRAPH = """graph: { title: "a.c"
node: { title: "main" label: "main\\na.c:1:1\\n16 bytes (static)" }
node: { title: "a.c:near" label: "near\\na.c:2:1\\n40 bytes (static)" }
node: { title: "a.c:far" label: "far\\na.c:3:1\\n300 bytes (dynamic,bounded)" }
node: { title: "a.c:tick_isr" label: "tick_isr\\na.c:4:1\\n8 bytes (static)" }
node: { title: "exp" label: "exp\\nmath.h:1:1" shape : ellipse }
node: { title: "__indirect_call" label: "Indirect Call Placeholder" shape : ellipse }
edge: { sourcename: "main" targetname: "a.c:near" label: "a.c:1:2" }
edge: { sourcename: "a.c:near" targetname: "__indirect_call" label: "a.c:2:2" }
edge: { sourcename: "a.c:far" targetname: "exp" label: "a.c:3:2" }
}
"""


def test_a_call_through_a_pointer_may_reach_what_nothing_else_calls(tmp_path):
    (tmp_path / "a.ci").write_text(GRAPH)
    found = measure_stack(tmp_path)
    assert found.path == ("main", "near", "far", "exp")
    assert found.bytes == 16 + 40 + 300 + 128 + 112 + 8  # the library's, and an interrupt
    assert found.own["far"] == 300


def test_a_function_without_a_bound_is_refused(tmp_path):
    (tmp_path / "a.ci").write_text(GRAPH.replace("(dynamic,bounded)", "(dynamic)"))
    with pytest.raises(InternalFault, match=r"the stack of a\.c:far has no bound"):
        measure_stack(tmp_path)


def test_without_a_call_graph_it_says_so(tmp_path):
    with pytest.raises(InternalFault, match="there is no call graph"):
        measure_stack(tmp_path)


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="the cross compiler is not installed")
@pytest.mark.parametrize("board", BOARDS)
def test_no_board_s_stack_outgrows_its_place(board):
    elf = build(BOARDS[board])
    sizes = footprint(elf, BOARDS[board])
    assert sizes.stack_path[0] == "main"
    assert 500 < sizes.stack < RESERVED
    each = functions(elf)
    assert each["main"].code > 0
    assert each["qb_read_model"].stack > 0
    assert each["qk_conv_2d"].stack > 0


def test_the_reserved_stack_is_the_linker_script_s():
    script = (firmware_sources() / "boards" / "common" / "sections.ld").read_text()
    assert int(re.search(r"stack_top - (\d+)K", script)[1]) * 1024 == RESERVED
