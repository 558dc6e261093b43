"""The options of replaying."""

from __future__ import annotations

from typing import Annotated, TextIO

from pydantic import Field, SkipValidation
from pydantic.json_schema import SkipJsonSchema

from qbench.options import Count, RunOptions, Threads, Typed


class ReplayOptions(RunOptions):
    """Of `qbench replay`."""

    devices: Annotated[
        tuple[str, ...],
        Field(
            description="A device that runs BUNDLE's int8.tflite, at a serial port, socket://HOST:PORT or "
            "rfc2217://HOST:PORT, or qemu:BOARD for an emulated one, qemu:BOARD:packed with packed weights; "
            "repeat for more. It is held against tflite-ref, which then always runs."
        ),
        Typed(flags=("--device",), metavar="PORT"),
    ] = ()
    baud: Annotated[
        Count | None, Field(exclude=True, description="Of a serial line; 115200 if not given.")
    ] = None
    trace: SkipJsonSchema[
        Annotated[
            TextIO | None,
            SkipValidation,
            Field(exclude=True, description="Write a hex dump of the lines to the devices; - is stdout."),
            Typed(file=True),
        ]
    ] = None
    threads: Threads = None
