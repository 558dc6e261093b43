"""The deepest stack, from the compiler's call graph."""

import functools
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis.strategies import data, integers, sampled_from, sets

from qbench.boards import BOARDS
from qbench.boards.image import COMPILER, build, footprint, functions
from qbench.boards.stack import LIBRARY, RESERVED, CallGraph, bound_stack, measure_stack, read_graph
from qbench.errors import InternalFault
from qbench.places import firmware_sources

GRAPH = """graph: { title: "a.c"
node: { title: "main" label: "main\\na.c:1:1\\n16 bytes (static)" }
node: { title: "a.c:near" label: "near\\na.c:2:1\\n40 bytes (static)" }
node: { title: "a.c:far" label: "far\\na.c:3:1\\n300 bytes (dynamic,bounded)" }
node: { title: "exp" label: "exp\\nmath.h:1:1" shape : ellipse }
node: { title: "__indirect_call" label: "Indirect Call Placeholder" shape : ellipse }
edge: { sourcename: "main" targetname: "a.c:near" label: "a.c:1:2" }
edge: { sourcename: "a.c:near" targetname: "a.c:far" label: "a.c:2:2" }
edge: { sourcename: "a.c:far" targetname: "exp" label: "a.c:3:2" }
}
"""
# Three levels of calls through pointers, to functions that are also called by name; and an interrupt.
SOURCE = """
typedef int function(int);
extern volatile int seen;
static int leaf(int x) { volatile char room[400]; room[x] = 1; return room[0]; }
function *volatile third = leaf;
static int above(int x) { return third(x) + 1; }
function *volatile second = above;
int named(int x) { return second(x) + 2; }
function *volatile first = named;
void tick_interrupt(void) { volatile char room[48]; room[seen] = 1; }
int main(void) { return first(3) + named(4) + leaf(5); }
__asm__(".section .vectors, \\"a\\"\\n .word tick_interrupt\\n .text");
"""
INDIRECT = "__indirect_call"
needs_compiler = pytest.mark.skipif(
    shutil.which(COMPILER) is None, reason="the cross compiler is not installed"
)


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def compiled(folder, source):
    """Compile a source as the firmware's are, and list it as linked."""
    (folder / "a.c").write_text(source)
    command = [COMPILER, "-mcpu=cortex-m4", "-mthumb", "-O1", "-fno-inline", "-fcallgraph-info=su"]
    subprocess.run([*command, "-c", "a.c", "-o", "a.o"], cwd=folder, check=True)
    (folder / "objects").write_text(f"{folder / 'a.o'}\n")
    return folder


@needs_compiler
def test_the_call_graph_is_read_from_what_the_compiler_wrote(tmp_path):
    folder = compiled(tmp_path, "int main(void) { return 0; }")
    (folder / "a.ci").write_text(GRAPH)
    (folder / "stale.ci").write_text(GRAPH.replace("300 bytes", "999 bytes"))  # of a source that is gone
    found = measure_stack(folder)
    assert found.path == ("main", "near", "far", "exp")
    assert found.bytes == 16 + 40 + 300 + LIBRARY
    assert found.own["far"] == 300


@needs_compiler
def test_a_function_without_a_bound_is_refused(tmp_path):
    source = "void use(char *); int main(int n, char **v) { char room[n]; use(room); return 0; }"
    with pytest.raises(InternalFault, match="the stack of main has no bound"):
        measure_stack(compiled(tmp_path, source))


def test_without_a_call_graph_it_says_so(tmp_path):
    with pytest.raises(InternalFault, match="there is no call graph"):
        measure_stack(tmp_path)


@needs_compiler
def test_pointers_are_followed_through_every_level_also_to_functions_that_are_called_by_name(tmp_path):
    graph = read_graph(compiled(tmp_path, SOURCE))
    assert set(graph.pointed) == {"a.c:leaf", "a.c:above", "named"}
    assert set(graph.handlers) == {"tick_interrupt"}
    found = bound_stack(graph)
    assert found.own["leaf"] >= 400
    assert set(found.path) == {"main", "named", "above", "leaf"}
    way = sum(found.own[name] for name in ("main", "named", "above", "leaf"))
    assert found.bytes == way + 112 + found.own["tick_interrupt"]


@given(data())
def test_no_way_through_a_random_graph_is_deeper_than_the_bound(draw):
    names = ["main", *"abcdefg"]
    own = {name: draw.draw(integers(0, 100)) for name in names}
    # Calls by name lead forwards, so that they end.
    calls = {name: draw.draw(sets(sampled_from([*names[i + 1 :], INDIRECT]))) for i, name in enumerate(names)}
    pointed = draw.draw(sets(sampled_from(names[1:])))

    def depths(title, active):
        """Of every way on which no function runs twice at a time."""
        yield own[title]
        targets = {each for called in calls[title] for each in (pointed if called == INDIRECT else {called})}
        for each in targets - active:
            yield from (own[title] + depth for depth in depths(each, active | {each}))

    deepest = max(depths("main", frozenset({"main"})))
    bound = bound_stack(CallGraph(own, calls, pointed)).bytes
    assert bound >= deepest
    if not any(INDIRECT in each for each in calls.values()):
        assert bound == deepest


def test_functions_that_call_each_other_by_name_are_refused():
    graph = CallGraph({"main": 1, "f.c:f": 1, "g": 1}, {"main": ["f.c:f"], "f.c:f": ["g"], "g": ["f.c:f"]})
    with pytest.raises(InternalFault, match=r"call themselves, without a bound: (f > g > f|g > f > g)"):
        bound_stack(graph)


def library_depths(elf):
    """Bytes of stack by function of an image, from its instructions: with all that it calls, and its own."""
    own, calls, name = {}, {}, ""
    for line in output_of("arm-none-eabi-objdump", "-d", "--no-show-raw-insn", elf).splitlines():
        if found := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            name = found[1]
            own[name], calls[name] = 0, set()
        elif found := re.search(r"\t(?:push|vpush|stmdb)(?:\.w)?\t(?:sp!, )?\{(.*)\}", line):
            ends = [re.findall(r"\d+", each) for each in found[1].split(", ")]
            count = sum(1 + int(each[1]) - int(each[0]) if len(each) == 2 else 1 for each in ends)
            own[name] += count * (8 if found[1].startswith("d") else 4)
        elif found := re.search(r"\tsub(?:\.w|w)?\tsp, (?:sp, )?#(\d+)|\[sp, #-(\d+)\]!", line):
            own[name] += int(found[1] or found[2])
        elif found := re.search(r"\tb(?:l|\w\w)?(?:\.[nw])?\t[0-9a-f]+ <([^+>]*)", line):
            calls[name] |= {found[1]} - {name}

    @functools.cache
    def depth(name):
        return own[name] + max((depth(each) for each in calls[name]), default=0)

    return depth, own


@needs_compiler
@pytest.mark.parametrize("board", BOARDS)
def test_no_function_of_the_c_library_takes_more_than_is_counted(board):
    elf = build(BOARDS[board])
    graph = read_graph(elf.parent)
    called = {each for targets in graph.calls.values() for each in targets} - graph.own.keys() - {INDIRECT}
    # A function may have several names, of which the listing gives one.
    symbols = (line.split() for line in output_of("arm-none-eabi-nm", elf).splitlines())
    at = {name: address for address, _, name in symbols}
    depth, own = library_depths(elf)
    listed = {at[name]: name for name in own if name in at}
    taken = {name: depth(listed[at[name]]) for name in called & at.keys()}
    assert {"exp", "tanh", "memcpy"} <= taken.keys()
    assert 0 < max(taken.values()) <= LIBRARY, taken


@needs_compiler
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
