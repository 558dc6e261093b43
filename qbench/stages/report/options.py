"""The options of reporting."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from qbench.options import RunOptions, Typed


def _parse_formats(value: Any) -> Any:
    """Each name once, from `pdf,svg`."""
    words = value.split(",") if isinstance(value, str) else value
    return tuple(dict.fromkeys(word.strip() for word in words))


Formats = Annotated[tuple[str, ...], BeforeValidator(_parse_formats), Typed(metavar="FORMAT[,FORMAT...]")]


class ReportOptions(RunOptions):
    """Of `qbench report`."""

    html: Annotated[bool, Field(description="Write report.html too: one page that needs no other file.")] = (
        False
    )
    figures: Annotated[
        Formats, Field(description="Write every picture of the page to figures/: pdf, svg, png.")
    ] = ()
    advsets: Annotated[
        tuple[Path, ...],
        Field(
            description="The inputs that were replayed, if they do not lie beside REPLAYS; repeat for more."
        ),
        Typed(flags=("--advset",)),
    ] = ()
    studies: Annotated[
        tuple[Path, ...],
        Field(description="Folders that `qbench study` wrote, which the page shows before its examples."),
        Typed(never=True),
    ] = ()
    compare: Annotated[
        bool, Field(description="Show replays of different networks or data side by side, on purpose.")
    ] = False
    missing: Annotated[
        tuple[str, ...],
        Field(description="What should have been shown and could not be made; the page says so."),
        Typed(never=True),
    ] = ()
