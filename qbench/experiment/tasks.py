"""What a plan is made of: tasks, and what came of them."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from qbench.artifacts.base import Record
from qbench.errors import QbenchError
from qbench.experiment.kinds import KINDS


class Task(Record):
    """One call of a stage.

    Attributes:
        id: also its folder, under the run's.
        kind: one of `KINDS`.
        inputs: by argument, the tasks whose folders it takes.
        settings: the other arguments.
        seconds: what it may cost.
        board: that it needs, if it needs one.
        port: where the board answers.
        missing: tasks whose folders it should have had and does without.
    """

    id: str
    kind: str
    inputs: dict[str, str | tuple[str, ...]]
    settings: dict[str, JsonValue]
    seconds: float
    board: str | None = None
    port: str | None = None
    missing: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """The tasks that must be done before."""
        return tuple(
            name for given in self.inputs.values() for name in ([given] if isinstance(given, str) else given)
        )

    @property
    def memory(self) -> int:
        """Bytes that it may need at most."""
        return KINDS[self.kind].memory


class Plan(Record):
    """All tasks of an experiment.

    Attributes:
        name: the experiment's.
        out: the run's folder.
        threads: that every task gets.
        tasks: each behind those that it needs.
    """

    name: str
    out: str
    threads: int
    tasks: tuple[Task, ...]


class Order(Record):
    """A task for a process of its own.

    Attributes:
        out: the run's folder, absolute.
        force: replace what the task's folder holds.
    """

    task: Task
    out: str
    threads: int
    force: bool


class Failure(Record):
    """Why a task was not done, as a `QbenchError` says it."""

    what: str
    cause: str | None = None
    hint: str | None = None
    exit_code: int = 4

    @classmethod
    def of(cls, error: QbenchError) -> Failure:
        """The record of an error."""
        return cls(what=error.what, cause=error.cause, hint=error.hint, exit_code=error.exit_code)


class Outcome(Record):
    """What came of a task.

    Attributes:
        state: "made" now, "found" finished, "failed", or "skipped" since something before it failed.
        seconds: that it took.
    """

    id: str
    state: Literal["made", "found", "failed", "skipped"]
    seconds: float = 0.0
    failure: Failure | None = None
