"""Surrogates by the names that are typed after `--surrogate`."""

from __future__ import annotations

from pathlib import Path

from qbench.artifacts import Domain, Preprocessing
from qbench.errors import UserError
from qbench.surrogate.base import Surrogate
from qbench.surrogate.keras import KerasSurrogate
from qbench.surrogate.lifted import GRADIENTS, LiftedSurrogate
from qbench.surrogate.lifted.gradients import find_rule

FLOAT, LIFTED = "float", "lifted"
_DEFAULT_RULE = "clipped-ste"
_FLOAT_FILES, _INTEGER_FILES = (".keras", ".h5"), (".tflite", ".onnx")


def surrogate_file(name: str) -> str:
    """The file of a bundle that a surrogate is made of.

    Args:
        name: "float", "lifted" or "lifted:RULE".

    Raises:
        UserError: there is no such surrogate.
    """
    kind, _, rule = name.partition(":")
    if kind == LIFTED:
        find_rule(rule or _DEFAULT_RULE)
        return "int8.tflite"
    if name != FLOAT:
        raise UserError(
            f"there is no surrogate {name!r}",
            hint=f"known: {FLOAT}, {', '.join(f'{LIFTED}:{each}' for each in GRADIENTS)}",
        )
    return "float.keras"


def open_surrogate(name: str, path: Path, preprocessing: Preprocessing, domain: Domain) -> Surrogate:
    """The surrogate of that name.

    Args:
        name: "float", "lifted" or "lifted:RULE".
        path: of the network's file, or of the bundle that holds it.
        preprocessing: from the domain to the network's input unit.
        domain: of the inputs.

    Raises:
        UserError: there is no such surrogate, or it cannot be made of this file.
    """
    file = path / surrogate_file(name) if path.is_dir() else path
    wanted = _FLOAT_FILES if name == FLOAT else _INTEGER_FILES
    if file.suffix not in wanted:
        raise UserError(
            f"the surrogate {name!r} cannot be made of {file.name}",
            cause=f"it needs a file that ends in {' or '.join(wanted)}",
            hint=f"use --surrogate {LIFTED if name == FLOAT else FLOAT}",
        )
    if name == FLOAT:
        return KerasSurrogate.load(file, preprocessing, domain)
    rule = name.partition(":")[2] or _DEFAULT_RULE
    return LiftedSurrogate.load(file, preprocessing, domain, rule)
