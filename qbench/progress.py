"""How a stage tells of its progress without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class Progress(Protocol):
    """Receives what a stage does."""

    def task(self, label: str, total: int) -> AbstractContextManager[Advance]:
        """Open a task of `total` units; call the result with the number of units just done."""
        ...

    def note(self, text: str) -> None:
        """Say one line that the user should read: a warning, or what was found already done."""
        ...


class Silent:
    """Says nothing; the default in a notebook."""

    @contextmanager
    def task(self, label: str, total: int) -> Iterator[Advance]:
        """No-op: opens a task without an observer."""
        del label, total
        yield lambda _: None

    def note(self, text: str) -> None:
        """Drop a line."""


SILENT = Silent()
