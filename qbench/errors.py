"""What can go wrong, said so that a user can act on it."""

from __future__ import annotations

import tempfile
import traceback
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class QbenchError(Exception):
    """Base of all errors that qbench raises on purpose.

    Attributes:
        what: what happened, in one sentence.
        cause: the likely cause, if it is known.
        hint: the next step for the user, if there is one.
        exit_code: the process exit code that a command ends with.
    """

    exit_code = 4

    def __init__(self, what: str, *, cause: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.cause = cause
        self.hint = hint


class CheckFailed(QbenchError):
    """The work was done, and a check that the user asked for did not hold."""

    exit_code = 1


class UserError(QbenchError):
    """The command, a file or a setting is wrong, and the user can mend it."""

    exit_code = 2


class EnvironmentLacks(QbenchError):
    """The machine lacks something: a package, disk space, a network."""

    exit_code = 3


class InternalFault(QbenchError):
    """qbench or a runtime broke a promise of its own."""

    exit_code = 4


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a name that is not registered, with the nearest known one."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return UserError(f"there is no {kind} {name!r}", hint=f"{hint}known: {', '.join(names)}")


def damaged_tflite(error: Exception) -> UserError:
    """A `.tflite` file that broke off or makes no sense where it was read."""
    return UserError(
        "the .tflite file cannot be read",
        cause=f"it is damaged ({type(error).__name__}: {error})",
        hint="export it again",
    )


def internal_fault(error: Exception) -> InternalFault:
    """An unforeseen error, its traceback kept in a file that is named."""
    with tempfile.NamedTemporaryFile("w", prefix="qbench-fault-", suffix=".log", delete=False) as log:
        traceback.print_exception(error, file=log)
    return InternalFault(
        f"an internal fault: {type(error).__name__}: {error}",
        hint=f"please report it with the traceback in {log.name}",
    )
