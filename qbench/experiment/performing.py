"""Doing a task in a process of its own, and surviving its death."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from typing import IO, Protocol

from qbench.experiment.tasks import Failure, Order, Outcome, Task

# The libraries' own words for "this many threads". TensorFlow's two pools share one number: with one thread
# each, an operator's sums always have the same order.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
_ATTEMPTS = 2
_LAST_WORDS = 500


class Observer(Protocol):
    """Hears what tasks do; called from several threads."""

    def started(self, task: Task) -> None:
        """A task was handed out."""

    def progressed(self, task: str, label: str, done: int, total: int) -> None:
        """A task did more of something."""

    def noted(self, task: str, text: str) -> None:
        """A task has something to say that a person should read."""

    def finished(self, outcome: Outcome) -> None:
        """A task ended, or was skipped."""


class Unwatched:
    """Nobody listens."""

    def started(self, task: Task) -> None:
        """Say nothing."""

    def progressed(self, task: str, label: str, done: int, total: int) -> None:
        """Say nothing."""

    def noted(self, task: str, text: str) -> None:
        """Say nothing."""

    def finished(self, outcome: Outcome) -> None:
        """Say nothing."""


UNWATCHED = Unwatched()


class Performer:
    """Does tasks, each in a fresh process, as many at a time as there are callers."""

    def __init__(self, watch: Observer = UNWATCHED) -> None:
        self._watch = watch
        self._children: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def __call__(self, order: Order) -> Outcome:
        """Do a task; if its process dies, once more."""
        died = Failure(what="the run was stopped")
        for _ in range(_ATTEMPTS):
            with tempfile.TemporaryFile("w+", errors="replace") as chatter:
                child = self._start(order, chatter)
                if child is None:
                    break
                try:
                    outcome = self._heard(child, order)
                finally:
                    self._end(child)
                if outcome is not None:
                    return outcome
                died = _death(child.returncode, chatter)
        return Outcome(id=order.task.id, state="failed", failure=died)

    def close(self) -> None:
        """End the processes that run, and start no more."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()

    def _start(self, order: Order, chatter: IO[str]) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._closed:
                return None
            child = subprocess.Popen(
                [sys.executable, "-m", "qbench.experiment.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=chatter,
                text=True,
                env={
                    **os.environ,
                    **dict.fromkeys(_THREADS, str(order.threads)),
                    "TF_CPP_MIN_LOG_LEVEL": "3",
                },
            )
            self._children.add(child)
            return child

    def _heard(self, child: subprocess.Popen[str], order: Order) -> Outcome | None:
        """Give the order and listen to the end; None if there was no outcome."""
        if child.stdin is None or child.stdout is None:
            return None
        try:
            child.stdin.write(order.model_dump_json() + "\n")
            child.stdin.flush()
        except BrokenPipeError:
            return None
        outcome = None
        for line in child.stdout:
            try:
                told = json.loads(line)
            except ValueError:  # cut off by its death
                break
            if "progress" in told:
                self._watch.progressed(order.task.id, *told["progress"])
            elif "note" in told:
                self._watch.noted(order.task.id, told["note"])
            else:
                outcome = Outcome.model_validate(told["outcome"])
        return outcome

    def _end(self, child: subprocess.Popen[str]) -> None:
        """Closing its input ends a process that still runs."""
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        child.wait()
        with self._lock:
            self._children.discard(child)


def perform(order: Order) -> Outcome:
    """Do a task in a fresh process, unwatched."""
    return Performer()(order)


def _death(code: int | None, chatter: IO[str]) -> Failure:
    """What is known of a process that exited without a result."""
    chatter.seek(0)
    last = chatter.read()[-_LAST_WORDS:].strip()
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return Failure(
        what=f"its process died, {_ATTEMPTS} times ({how})",
        cause=last or ("too little memory, perhaps" if code == -9 else None),
        hint="run the same command again, with fewer --jobs if memory is short",
    )
