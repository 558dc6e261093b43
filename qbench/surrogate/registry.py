"""Surrogates by the names that are typed after `--surrogate`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from qbench.artifacts import Domain, Preprocessing, TaskInfo
from qbench.errors import UserError
from qbench.surrogate.base import Surrogate
from qbench.surrogate.keras import KerasSurrogate
from qbench.surrogate.lifted import GRADIENTS, LiftedSurrogate
from qbench.surrogate.lifted.gradients import find_rule
from qbench.surrogate.tasked import TaskSurrogate
from qbench.tasks import task_of

FLOAT, LIFTED = "float", "lifted"
_DEFAULT_RULE = "clipped-ste"
_SEVERAL_RULES = ("smooth", _DEFAULT_RULE)
# What each kind is made of: the files of a bundle, the first that is there; the endings of a lone file.
_FILES = {FLOAT: ("float.keras",), LIFTED: ("int8.tflite", "int8.onnx")}
_ENDINGS = {FLOAT: (".keras", ".h5"), LIFTED: (".tflite", ".onnx")}


def check_surrogate(name: str) -> None:
    """Refuse what is no surrogate.

    Args:
        name: "float", "lifted" or "lifted:RULE".

    Raises:
        UserError: there is no such surrogate.
    """
    kind, _, rule = name.partition(":")
    if kind == LIFTED:
        find_rule(rule or _DEFAULT_RULE)
    elif name != FLOAT:
        raise UserError(
            f"there is no surrogate {name!r}",
            hint=f"known: {FLOAT}, {', '.join(f'{LIFTED}:{each}' for each in GRADIENTS)}",
        )


def surrogate_file(name: str, artifacts: Collection[str]) -> str | None:
    """The file of a bundle that a surrogate is made of; None if the bundle has none.

    Args:
        name: "float", "lifted" or "lifted:RULE".
        artifacts: the bundle's files.

    Raises:
        UserError: there is no such surrogate.
    """
    check_surrogate(name)
    return next((file for file in _FILES[name.partition(":")[0]] if file in artifacts), None)


def usual_surrogate(artifacts: Collection[str]) -> str:
    """The float network of a bundle; where there is none, the integer network itself."""
    return FLOAT if surrogate_file(FLOAT, artifacts) else f"{LIFTED}:{_DEFAULT_RULE}"


def usual_surrogates(artifacts: Collection[str]) -> tuple[str, ...]:
    """All that an attack follows which takes several: the float network, and two rules of the integer one."""
    names = (FLOAT, *(f"{LIFTED}:{rule}" for rule in _SEVERAL_RULES))
    return tuple(name for name in names if surrogate_file(name, artifacts))


def open_surrogate(
    name: str, path: Path, preprocessing: Preprocessing, domain: Domain, task: TaskInfo
) -> Surrogate:
    """The surrogate of that name.

    Args:
        name: "float", "lifted" or "lifted:RULE".
        path: of the network's file, or of the bundle that holds it.
        preprocessing: from the domain to the network's input unit.
        domain: of the inputs.
        task: what the network's outputs mean; the surrogate's are its scores.

    Raises:
        UserError: there is no such surrogate, or it cannot be made of this file or bundle.
    """
    check_surrogate(name)
    file = _found(name, path) if path.is_dir() else path
    wanted = _ENDINGS[name.partition(":")[0]]
    if file.suffix not in wanted:
        raise UserError(
            f"the surrogate {name!r} cannot be made of {file.name}",
            cause=f"it needs a file that ends in {' or '.join(wanted)}",
            hint=f"use --surrogate {LIFTED if name == FLOAT else FLOAT}",
        )
    network: Surrogate
    if name == FLOAT:
        network = KerasSurrogate.load(file, preprocessing, domain)
    else:
        network = LiftedSurrogate.load(file, preprocessing, domain, name.partition(":")[2] or _DEFAULT_RULE)
    return network if task.plain else TaskSurrogate(network, preprocessing, task_of(task))


def _found(name: str, bundle: Path) -> Path:
    files = [each.name for each in bundle.iterdir()]
    file = surrogate_file(name, files)
    if file is None:
        raise UserError(
            f"{bundle} has nothing to make the surrogate {name!r} of",
            cause="it holds an integer network without the float one"
            if name == FLOAT
            else "it is surrogate-only: there is no integer network",
            hint=f"use --surrogate {usual_surrogate(files)}",
        )
    return bundle / file
