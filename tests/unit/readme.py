"""What the README of a network in models/ says of its size."""

from __future__ import annotations

import re
from typing import NamedTuple

from qbench.zoo import find_network

_SIZE = re.compile(r"([\d,]+) weights for (\d+(?:x\d+)*) inputs with (\d+) classes")


class Stated(NamedTuple):
    """Number of weights, shape of an input, number of classes."""

    weights: int
    shape: tuple[int, ...]
    classes: int


def stated(name: str) -> Stated:
    """The size of a network by its name."""
    said = _SIZE.search(" ".join((find_network(name).path / "README.md").read_text().split()))
    assert said, "its README lacks: N weights for HxWxC inputs with K classes"
    return Stated(int(said[1].replace(",", "")), tuple(map(int, said[2].split("x"))), int(said[3]))
