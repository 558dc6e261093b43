"""Writes docs/operators.md: each operator on each runtime, held against TFLite's reference kernels.

PYTHONPATH=tests python -m random_models.table [CASES]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from qbench.artifacts.environment import package_version

from .cases import GENERATORS, WIDE, draw
from .oracles import ORACLES, Outputs, Refused

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"
REFERENCE = "tflite-ref"
DEFAULT_CASES = 300
CRASHED = "crashed"

_PACKAGES = {
    "tflite-ref": ("tensorflow-cpu", "tensorflow"),
    "litert-ref": ("ai-edge-litert",),
    "tflm": ("tflite-micro",),
    "tflite-builtin": ("ai-edge-litert",),
    "tflite": ("ai-edge-litert",),
}

_HEAD = """# Operators: who computes what

Written by `python -m tests.random_models.table {cases}`; do not edit.

Each operator was run on {cases} random models (shapes, strides, paddings, fused activations, extreme
scales and zero points; four inputs each) and held, element by element, against the reference kernels
(`BUILTIN_REF`) of TensorFlow's TFLite. *exact*: every element of every model is equal. Otherwise: the
share of the elements that differ, and the largest difference in codes. *n refused*: models that the
runtime does not accept; *n crashed*: models that end its process. Neither are counted.

{versions}

"""

_WIDE_HEAD = """
## 16-bit activations

The same models with activations of int16 and zero point 0, and weights of int8 (int16x8). Biases and sums
have 64 bits; in a third of the convolutions and dense layers 32, as their options then say. TFLite has no
int16 kernels for HARD_SWISH and TILE; MAXIMUM and MINIMUM run in int8 here.

"""

_TAIL = """
Where they differ, and what the firmware (`host`, and every board) does:

- **FULLY_CONNECTED.** LiteRT from 1.4 on rounds once in its reference kernel, to the code nearest to the
  real product. TensorFlow 2.18, LiteRT up to 1.2, TFLite Micro and CMSIS-NN round twice, in integers, as
  reference convolutions do everywhere. The firmware rounds twice: it is what devices run.
- **LOGISTIC, TANH.** TFLite looks codes up in a table filled in single precision; TFLite Micro computes in
  fixed point and lands on the other side of a few near-ties. The firmware follows TFLite.
- **MUL.** TFLite multiplies the scales in single precision, TFLite Micro in double. The firmware follows
  TFLite.
- **RELU6.** TFLite Micro only clamps: it is right where input and output share scale and zero point, as
  converters write it. The firmware rescales, as TFLite does.
- **16-bit activations.** Sums of 64 bits are rescaled by 16 bits of the multiplier, in one rounding, by
  every reference; LOGISTIC, TANH and SOFTMAX interpolate in tables, of which TFLite Micro fills those of
  SOFTMAX in single precision, TFLite in double. LiteRT's single rounding in FULLY_CONNECTED shows where sums
  have 32 bits.
- **PAD, PADV2, QUANTIZE, TILE.** TFLite Micro lacks 64-bit paddings, float32 or uint8 to uint8, and TILE.
"""


@dataclass
class Tally:
    """How one runtime did on one operator."""

    compared: int = 0
    different: int = 0
    largest: float = 0.0
    refused: int = 0
    crashed: int = 0

    def __str__(self) -> str:
        counts = (f"{n} {what}" for n, what in ((self.refused, "refused"), (self.crashed, "crashed")) if n)
        left_out = ", ".join(counts)
        refused = f" ({left_out})" if left_out else ""
        if not self.compared:
            return "refused"
        if not self.different:
            return f"exact{refused}"
        return f"{100 * self.different / self.compared:.2g} %, {self.largest:g}{refused}"


def _answer(operator: str, runtime: str, seeds: range, to: Connection) -> None:
    """In a process of its own, since some runtimes crash: send what the runtime gives for each seed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # native code writes there
    for seed in seeds:
        to.send(_outputs(operator, runtime, seed))


def _outputs(operator: str, runtime: str, seed: int) -> Outputs | None:
    """What the runtime gives; None where it refuses."""
    try:
        return ORACLES[runtime](draw(operator, seed))
    except Refused:
        return None


def _answers(operator: str, runtime: str, cases: int) -> Iterator[Outputs | str | None]:
    """What the runtime gives for each seed: outputs, None where it refuses, CRASHED where it dies."""
    forks, done = get_context("fork"), 0
    while done < cases:
        here, there = forks.Pipe(duplex=False)
        child = forks.Process(target=_answer, args=(operator, runtime, range(done, cases), there))
        child.start()
        there.close()
        try:
            while done < cases:
                yield here.recv()
                done += 1
        except EOFError:
            yield CRASHED
            done += 1
        child.join()


def tally(operator: str, runtime: str, cases: int) -> Tally:
    """Run one operator's models on a runtime and on the reference."""
    counts = Tally()
    for wanted, found in zip(
        _answers(operator, REFERENCE, cases), _answers(operator, runtime, cases), strict=True
    ):
        if wanted is None or isinstance(wanted, str):
            raise RuntimeError(f"the reference does not run {operator}")
        if found is None or isinstance(found, str):
            counts.refused += found is None
            counts.crashed += found is not None
            continue
        for a, b in zip(wanted, found, strict=True):
            apart = np.abs(a.astype(np.float64) - b)
            counts.compared += apart.size
            counts.different += int(np.count_nonzero(apart))
            counts.largest = max(counts.largest, float(apart.max()))
    return counts


def table(operators: Sequence[str], cases: int) -> str:
    """A row an operator, a column a runtime."""
    columns = [name for name in ORACLES if name != REFERENCE]
    lines = ["| operator | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for operator in operators:
        found = (str(tally(operator, column, cases)) for column in columns)
        lines.append(f"| {operator.removesuffix(WIDE).upper()} | " + " | ".join(found) + " |")
    return "\n".join(lines) + "\n"


def page(cases: int) -> str:
    """The whole document."""
    narrow = [operator for operator in GENERATORS if not operator.endswith(WIDE)]
    wide = [operator for operator in GENERATORS if operator.endswith(WIDE)]
    versions = ", ".join(f"`{name}` is {_version(names)}" for name, names in _PACKAGES.items())
    head = _HEAD.format(cases=cases, versions=versions + ".")
    return head + table(narrow, cases) + _WIDE_HEAD + table(wide, cases) + _TAIL


def _version(names: tuple[str, ...]) -> str:
    found = (f"{name} {version}" for name in names if (version := package_version(name)))
    return next(found, "not installed")


if __name__ == "__main__":
    PAGE.write_text(page(int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_CASES))
