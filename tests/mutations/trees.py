"""Structure-aware mutations of trees of JSON values."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tests.mutations.common import EXTREMES

HOSTILE = (
    "",
    "x" * 5000,
    "../../../etc/passwd",
    "/etc/passwd",
    "a/../../b",
    "a\0b",
    "a\nb\r\x1b[31m\x07",
    "[bold red]x[/] [link=file:///]",
    "::error::x ##[error]y",
    "| a | $\\frac{1}{0}$ _x_ <script>alert(1)</script> `y`",
    "\u202edrow\u202c \ud83d\ude00 \u0000",
    "-",
    "nan",
    "1e999",
)
VALUES: tuple[Any, ...] = (
    *EXTREMES,
    1 << 70,
    0.5,
    -0.0,
    1e308,
    -1e-320,
    float("nan"),
    float("inf"),
    None,
    True,
    [],
    {},
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all nodes below the root."""
    below = (
        list(tree.items())
        if isinstance(tree, dict)
        else list(enumerate(tree))
        if isinstance(tree, list)
        else []
    )
    found = [(*path, key) for key, _ in below]
    for key, value in below:
        found += places(value, (*path, key))
    return found


def at(tree: Any, path: tuple[Any, ...]) -> Any:
    """The node at a path."""
    for key in path:
        tree = tree[key]
    return tree


def mutated(rng: np.random.Generator, tree: Any) -> Any:
    """A copy with one to three nodes changed, removed, doubled, moved or added."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.integers(1, 4)):
        found = places(tree)
        if not found:
            return tree
        path = found[rng.integers(len(found))]
        parent, key = at(tree, path[:-1]), path[-1]
        kind = rng.integers(6)
        if kind == 0:
            del parent[key]
        elif kind == 1:
            parent[key] = HOSTILE[rng.integers(len(HOSTILE))]
        elif kind == 2:
            parent[key] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
        elif kind == 3:
            parent[key] = copy.deepcopy(at(tree, found[rng.integers(len(found))]))
        elif isinstance(parent, list):
            parent.insert(key, copy.deepcopy(parent[key]))
        elif kind == 4:
            parent[HOSTILE[rng.integers(len(HOSTILE))]] = parent[key]
        elif isinstance(parent[key], int | float) and not isinstance(parent[key], bool):
            parent[key] = parent[key] + int(rng.integers(-2, 3))
    return tree
