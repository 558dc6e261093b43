"""The deepest stack of a firmware, from the call graph that the compiler writes (`-fcallgraph-info=su`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qbench.errors import InternalFault

# What sections.ld leaves for the stack.
RESERVED = 8 * 1024
# A function of the C library, of which the compiler says nothing: exp and tanh of newlib take some 100 bytes.
_LIBRARY = 128
# What an interrupt pushes: the registers of the core and of its floating-point unit, and alignment.
_EXCEPTION_FRAME = 112
_INDIRECT = "__indirect_call"
_ENTRY = "main"
# Functions that the vector table calls.
_HANDLER = re.compile(r"(_handler|_interrupt|_isr|^isr_\w+)$", re.IGNORECASE)

_NODE = re.compile(r'node: \{ title: "([^"]*)" label: "([^"]*)"')
_BYTES = re.compile(r"(\d+) bytes \((static|dynamic|dynamic,bounded)\)")
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"')


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


def measure_stack(folder: Path) -> Stack:
    """The deepest stack of the firmware that was built in a folder.

    A call through a pointer may reach any function that nothing calls by name.

    Raises:
        InternalFault: the compiler wrote no call graph, or a function's stack has no bound.
    """
    own: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    for file in sorted(folder.rglob("*.ci")):
        text = file.read_text()
        for title, label in _NODE.findall(text):
            if found := _BYTES.search(label):
                if found[2] == "dynamic":
                    raise InternalFault(f"the stack of {title} has no bound")
                own[title] = int(found[1])
        for source, target in _EDGE.findall(text):
            calls.setdefault(source, set()).add(target)
    if _ENTRY not in own:
        raise InternalFault(
            f"there is no call graph in {folder}", hint="build the firmware with GCC 10 or later"
        )
    called = {target for targets in calls.values() for target in targets}
    roots = {title for title in own if title not in called}
    handlers = {title for title in roots if _HANDLER.search(_name(title))}
    calls[_INDIRECT] = roots - handlers - {_ENTRY}
    walk = _Walk(own, calls)
    deepest, path = walk.deepest(_ENTRY)
    above = max((walk.deepest(each)[0] for each in handlers), default=0)
    interrupt = _EXCEPTION_FRAME + above if handlers else 0
    names = tuple(_name(each) for each in path if each != _INDIRECT)
    return Stack(deepest + interrupt, names, {_name(title): size for title, size in own.items()})


def _name(title: str) -> str:
    """A function's name without its file."""
    return title.rsplit(":", 1)[-1]


class _Walk:
    """Depths over the call graph; a function that is on the way already is not entered again."""

    def __init__(self, own: Mapping[str, int], calls: Mapping[str, set[str]]) -> None:
        self._own, self._calls = own, calls
        self._active: set[str] = set()

    def deepest(self, title: str) -> tuple[int, tuple[str, ...]]:
        """Bytes from a function on, and the functions on that way."""
        size = 0 if title == _INDIRECT else self._own.get(title, _LIBRARY)
        self._active.add(title)
        below = [
            self.deepest(each) for each in sorted(self._calls.get(title, ())) if each not in self._active
        ]
        self._active.discard(title)
        depth, path = max(below, default=(0, ()))
        return size + depth, (title, *path)
