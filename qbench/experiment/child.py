"""A process that does one task: `python -m qbench.experiment.child`.

An order comes as one line of JSON on its input; lines of JSON go out. A fresh process for every task makes a
task's bytes independent of what ran before it (Keras numbers layers in a process), gives its memory back, and
lets it die alone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from qbench.artifacts import made_of_others
from qbench.errors import QbenchError, internal_fault
from qbench.experiment.kinds import KINDS
from qbench.experiment.tasks import Failure, Order, Outcome
from qbench.progress import Advance

# Seconds between two words of progress.
_PAUSE = 0.2

_LINE = TypeAdapter(dict[str, Any])


class Telling:
    """Progress as lines of JSON."""

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        self._say = say

    @contextmanager
    def task(self, label: str, total: int) -> Iterator[Advance]:
        """Tell of the task now and then."""
        done, told = 0, 0.0

        def advance(more: int) -> None:
            nonlocal done, told
            done += more
            if time.monotonic() - told > _PAUSE:
                told = time.monotonic()
                self._say({"progress": [label, done, total]})

        advance(0)
        yield advance

    def note(self, text: str) -> None:
        """Pass on one line."""
        self._say({"note": text})


def do(order: Order, progress: Telling) -> Outcome:
    """Call the stage that a task names."""
    task, kind = order.task, KINDS[order.task.kind]
    root, started = Path(order.out), time.monotonic()
    folders: dict[str, Any] = {
        argument: root / given if isinstance(given, str) else [root / each for each in given]
        for argument, given in task.inputs.items()
    }
    threads = {"threads": order.threads} if kind.threaded else {}
    try:
        module, _, name = kind.function.partition(":")
        stage = getattr(import_module(module), name)
        out = root / task.id
        stale = kind.gathers and made_of_others(out, [root / name for name in task.needs])
        made = stage(
            **folders, **task.settings, **threads, out=out, force=order.force or stale, progress=progress
        )
    except QbenchError as error:
        return Outcome(id=task.id, state="failed", failure=Failure.of(error))
    except Exception as error:
        return Outcome(id=task.id, state="failed", failure=Failure.of(internal_fault(error)))
    state = "found" if made.reused else "made"
    return Outcome(id=task.id, state=state, seconds=time.monotonic() - started)


def _die_with_parent() -> None:
    """Wait for the end of the input, which is open for as long as the parent lives."""
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> None:
    """Do the task that the input names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is not an answer
    order = Order.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_die_with_parent, daemon=True).start()

    def say(line: dict[str, Any]) -> None:
        replies.write(_LINE.dump_json(line).decode() + "\n")

    outcome = do(order, Telling(say))
    say({"outcome": outcome.model_dump()})
    replies.flush()
    os._exit(0)  # libraries' threads have nothing left to say


if __name__ == "__main__":
    main()
