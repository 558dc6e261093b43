"""Mutated experiment files: read, checked and planned, or refused with the line."""

from __future__ import annotations

import numpy as np

from qbench.experiment import plan, read
from tests.mutations.common import EXTREMES, hold
from tests.mutations.trees import HOSTILE

_VALUES = (
    *map(str, EXTREMES),
    "nan",
    "-inf",
    "1e400",
    "true",
    "[]",
    "{}",
    "[[1]]",
    "1979-05-27T07:32:00Z",
    '"8/0"',
    '"1/3"',
    "[" * 500 + "]" * 500,
    *(f'"{each[:200]}"' for each in HOSTILE if "\n" not in each and '"' not in each and "\\" not in each),
)


def changed(rng, text: str) -> str:
    """One to three lines changed, removed, doubled or moved."""
    lines = text.splitlines()
    for _ in range(rng.integers(1, 4)):
        at = rng.integers(len(lines))
        kind = rng.integers(6)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[rng.integers(len(lines))])
        elif kind == 2 and "=" in lines[at]:
            lines[at] = lines[at].split("=")[0] + "= " + _VALUES[rng.integers(len(_VALUES))]
        elif kind == 3 and "=" in lines[at]:
            other = lines[rng.integers(len(lines))].split("=")[0]
            lines[at] = f"{other}={lines[at].split('=', 1)[1]}"
        elif lines[at]:
            place = rng.integers(len(lines[at]))
            lines[at] = lines[at][:place] + chr(rng.integers(1, 0x3000)) + lines[at][place + 1 :]
    return "\n".join(lines) + "\n"


def test_experiments(pytestconfig, tmp_path):
    folder = pytestconfig.rootpath / "experiments"
    texts = [each.read_text() for each in sorted(folder.glob("*.toml"))]
    file = tmp_path / "experiment.toml"

    def made(number):
        rng = np.random.default_rng(number)
        return changed(rng, texts[number % len(texts)]).encode("utf-8", "surrogatepass")

    def understood(content):
        file.write_bytes(content)
        plan(read(file))

    ends = hold(understood, made)
    assert ends["read"]
    assert ends["refused"]
