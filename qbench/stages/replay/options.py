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
            description="Device that runs BUNDLE's int8.tflite: a serial port, socket://HOST:PORT, "
            "rfc2217://HOST:PORT, or qemu:BOARD for an emulated board (qemu:BOARD:packed with packed "
            "weights); may be repeated. Its outputs are compared with those of tflite-ref, which then "
            "always runs."
        ),
        Typed(flags=("--device",), metavar="PORT"),
    ] = ()
    baud: Annotated[
        Count | None, Field(exclude=True, description="Baud rate of the serial line; default 115200.")
    ] = None
    trace: SkipJsonSchema[
        Annotated[
            TextIO | None,
            SkipValidation,
            Field(exclude=True, description="File for a hex dump of the serial traffic; - is stdout."),
            Typed(file=True),
        ]
    ] = None
    top: Annotated[
        Count | None,
        Field(description="Also count inputs whose true label is among this many highest scores."),
    ] = None
    threads: Threads = None
