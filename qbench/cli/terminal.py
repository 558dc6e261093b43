"""What a person sees while a stage works: bars and notes, and nothing of the libraries' chatter."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from qbench.progress import Advance

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars


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
                TextColumn("{task.description}"),
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
        bar = self._bars.add_task(label, total=total)
        try:
            yield lambda done: self._bars.update(bar, advance=done)
        finally:
            self._bars.remove_task(bar)

    def note(self, text: str) -> None:
        """Print one line above the bars."""
        self._console.print(f"note: {text}", highlight=False, markup=False)


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
