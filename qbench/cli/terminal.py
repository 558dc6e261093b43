"""What a person sees while a stage works: bars and notes, and nothing of the libraries' chatter."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from qbench.progress import Advance
from qbench.text import shown

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from qbench.experiment import Outcome, Task


class Terminal:
    """Shows progress on the terminal's error stream.

    Args:
        quiet: show nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet

    @contextmanager
    def working(self) -> Iterator[StageProgress]:
        """A progress listener for the time that a stage runs."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        with _without_chatter() as stream:
            console = Console(file=stream, quiet=self.quiet)
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            with Progress(
                *columns, console=console, transient=True, disable=self.quiet or not console.is_terminal
            ) as bars:
                yield StageProgress(console, bars)


class StageProgress:
    """Progress as bars and lines."""

    def __init__(self, console: Console, bars: Bars) -> None:
        self._console, self._bars = console, bars

    @contextmanager
    def task(self, label: str, total: int) -> Iterator[Advance]:
        """Show a bar until the task is done."""
        bar = self._bars.add_task(shown(label), total=total)
        try:
            yield lambda done: self._bars.update(bar, advance=done)
        finally:
            self._bars.remove_task(bar)

    def note(self, text: str) -> None:
        """Print one line above the bars."""
        self._console.print(shown(f"note: {text}"), highlight=False, markup=False)


class RunProgress:
    """An experiment on one screen: a bar for all tasks, and one for each that runs.

    Args:
        total: tasks.
        quiet: show nothing.
    """

    def __init__(self, total: int, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True, quiet=quiet)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        hidden = quiet or not self._console.is_terminal
        self._bars = Progress(*columns, console=self._console, transient=True, disable=hidden)
        self._all = self._bars.add_task("all tasks", total=total)
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> RunProgress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def started(self, task: Task) -> None:
        """Show a task."""
        self._rows[task.id] = self._bars.add_task(shown(task.id), total=None)

    def progressed(self, task: str, label: str, done: int, total: int) -> None:
        """Move its bar."""
        if task in self._rows:
            self._bars.update(
                self._rows[task], description=shown(f"{task}: {label}"), completed=done, total=total
            )

    def noted(self, task: str, text: str) -> None:
        """Print one line above the bars."""
        self._console.print(shown(f"note: {task}: {text}"), highlight=False, markup=False)

    def finished(self, outcome: Outcome) -> None:
        """Take the task away, and print how it ended where nobody sees bars."""
        row = self._rows.pop(outcome.id, None)
        if row is not None:
            self._bars.remove_task(row)
        self._bars.advance(self._all)
        if not self._console.is_terminal or outcome.state == "failed":
            text = f"{outcome.state}: {outcome.id} ({outcome.seconds:.0f} s)"
            self._console.print(shown(text), highlight=False, markup=False)


@contextmanager
def _without_chatter() -> Iterator[IO[str]]:
    """Send what libraries print, from C as well, to a log; yields a stream to the real error stream.

    TensorFlow and XNNPACK write to file descriptors 1 and 2 without asking Python.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as log, os.fdopen(os.dup(2), "w", buffering=1) as stream:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield stream
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for target, kept in zip((1, 2), saved, strict=True):
                os.dup2(kept, target)
                os.close(kept)
