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

    html: Annotated[bool, Field(description="Also write report.html, a single self-contained page.")] = False
    figures: Annotated[
        Formats, Field(description="Also write every figure of the page to figures/, as pdf, svg or png.")
    ] = ()
    advsets: Annotated[
        tuple[Path, ...],
        Field(description="Folder of the adversarial inputs, if it is not next to REPLAYS; may be repeated."),
        Typed(flags=("--advset",)),
    ] = ()
    studies: Annotated[
        tuple[Path, ...],
        Field(description="Folders that `qbench study` wrote, which the page shows before its examples."),
        Typed(never=True),
    ] = ()
    compare: Annotated[
        bool, Field(description="Allow replays of different networks or data in one report.")
    ] = False
    missing: Annotated[
        tuple[str, ...],
        Field(description="Inputs that are missing because they could not be made; the page says so."),
        Typed(never=True),
    ] = ()
