"""The deepest stack of a firmware, from the call graph that the compiler writes (`-fcallgraph-info=su`)."""

from __future__ import annotations

import functools
import graphlib
import re
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qbench.errors import InternalFault
from qbench.places import require_programs

# What sections.ld leaves for the stack.
RESERVED = 8 * 1024
# At most, of a function of the C library with all that it calls: the compiler says nothing of it.
LIBRARY = 128
# What an interrupt pushes: the registers of the core and of its floating-point unit, and alignment.
_EXCEPTION_FRAME = 112
_INDIRECT = "__indirect_call"
_ENTRY = "main"
_OBJDUMP = "arm-none-eabi-objdump"

_NODE = re.compile(r'node: \{ title: "([^"]*)" label: "([^"]*)"')
_BYTES = re.compile(r"(\d+) bytes \((static|dynamic|dynamic,bounded)\)")
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"')
_OBJECT = re.compile(r"^(.*):\s+file format ")
_SECTION = re.compile(r"^RELOCATION RECORDS FOR \[(.*)\]:")
# A reference to a symbol, or to the section of a function; calls and jumps name what they reach themselves.
_REFERENCE = re.compile(r"^[0-9a-f]+ R_ARM_(?!THM_CALL|THM_JUMP|CALL|JUMP)\w+\s+(?:\.text\.)?([^\s+]+)")


@dataclass(frozen=True)
class Stack:
    """The deepest stack.

    Attributes:
        bytes: at most, an interrupt on top included.
        path: the functions from `main` down.
        own: by function, the bytes that it takes itself.
    """

    bytes: int
    path: tuple[str, ...]
    own: Mapping[str, int] = field(repr=False)


@dataclass(frozen=True)
class CallGraph:
    """Who calls whom.

    Attributes:
        own: by title (a function's name, of a static one with its file), the bytes that it takes itself.
        calls: by title, the titles called by name, and `__indirect_call` for any call through a pointer.
        pointed: titles whose address is taken: what a call through a pointer may reach.
        handlers: titles that the vector table holds.
    """

    own: Mapping[str, int]
    calls: Mapping[str, Collection[str]]
    pointed: Collection[str] = ()
    handlers: Collection[str] = ()


def measure_stack(folder: Path) -> Stack:
    """An upper bound of the stack of the firmware that was built in a folder; see `bound_stack`.

    Raises:
        EnvironmentLacks: objdump is not installed.
        InternalFault: the compiler wrote no call graph, or a function's stack has no bound.
    """
    return bound_stack(read_graph(folder))


def read_graph(folder: Path) -> CallGraph:
    """The calls that the compiler wrote beside the objects (`.ci`), and the addresses that these (`.o`) take.

    The objects are those that the file `objects` names, which `make` writes when it links.

    Raises:
        EnvironmentLacks: objdump is not installed.
        InternalFault: the compiler wrote no call graph, or a function's stack has no bound.
    """
    own: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    local: dict[str, dict[str, str]] = {}
    objects = _linked(folder)
    for each in objects:
        graph = each.with_suffix(".ci")
        if not graph.exists():  # of assembly
            continue
        text = graph.read_text()
        names = local.setdefault(str(each), {})
        for title, label in _NODE.findall(text):
            if found := _BYTES.search(label):
                if found[2] == "dynamic":
                    raise InternalFault(f"the stack of {title} has no bound")
                own[title] = max(int(found[1]), own.get(title, 0))  # an inline one may be in several objects
                names[_name(title)] = title
        for source, target in _EDGE.findall(text):
            calls.setdefault(source, set()).add(target)
    if _ENTRY not in own:
        raise InternalFault(
            f"there is no call graph in {folder}", hint="build the firmware with GCC 10 or later"
        )
    pointed, handlers = _addresses(objects, local)
    return CallGraph(own, calls, pointed & own.keys(), handlers & own.keys())


def _linked(folder: Path) -> list[Path]:
    """The objects of the image; others of earlier sources may lie beside them."""
    names = folder / "objects"
    return [Path(each) for each in names.read_text().splitlines()] if names.exists() else []


def _addresses(objects: list[Path], local: Mapping[str, Mapping[str, str]]) -> tuple[set[str], set[str]]:
    """The titles that objects refer to without calling them: anywhere, and in the vector table."""
    require_programs("reading the firmware's call graph", {_OBJDUMP: "binutils-arm-none-eabi"})
    command = [_OBJDUMP, "--reloc", *map(str, objects)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    pointed: set[str] = set()
    handlers: set[str] = set()
    names: Mapping[str, str] = {}
    section = ""
    for line in listing.splitlines():
        if found := _OBJECT.match(line):
            names = local.get(found[1], {})
        elif found := _SECTION.match(line):
            section = found[1]
        elif found := _REFERENCE.match(line):
            (handlers if section == ".vectors" else pointed).add(names.get(found[1], found[1]))
    return pointed, handlers


def bound_stack(graph: CallGraph) -> Stack:
    """An upper bound of the stack below `main`, with one interrupt on top of its deepest point.

    A call through a pointer is taken to reach every function whose address is taken, and so on from there,
    as often as there are functions that call through pointers. The bound holds if none of these runs again
    before it has returned, if the interrupts that are enabled share one priority (then none interrupts
    another), and if no function of the C library takes more than `LIBRARY`.

    Raises:
        InternalFault: functions that call each other by name: their stack has no bound.
    """
    direct = {title: set(targets) - {_INDIRECT} for title, targets in graph.calls.items()}
    try:
        graphlib.TopologicalSorter(direct).prepare()
    except graphlib.CycleError as error:
        ring = " > ".join(_name(each) for each in error.args[1])
        raise InternalFault(f"functions of the firmware call themselves, without a bound: {ring}") from error

    @functools.cache
    def deepest(title: str, entered: frozenset[str]) -> tuple[int, tuple[str, ...]]:
        """Bytes from a function on, and the functions on that way; not again into those of `entered`."""
        targets = set(direct.get(title, ()))
        ahead = 0
        if _INDIRECT in graph.calls.get(title, ()):
            entered |= {title}
            targets |= set(graph.pointed)
            ahead = LIBRARY  # a pointer may hold a function of the C library
        below = [deepest(each, entered) for each in sorted(targets - entered)]
        depth, path = max(below, default=(0, ()))
        return graph.own.get(title, LIBRARY) + max(depth, ahead), (title, *path)

    bytes_, path = deepest(_ENTRY, frozenset())
    above = [deepest(each, frozenset())[0] for each in sorted(graph.handlers)]
    interrupt = _EXCEPTION_FRAME + max(above) if above else 0
    own = {_name(title): size for title, size in graph.own.items()}
    return Stack(bytes_ + interrupt, tuple(_name(each) for each in path), own)


def _name(title: str) -> str:
    """A function's name without its file."""
    return title.rsplit(":", 1)[-1]
