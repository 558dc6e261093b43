"""`qbench firmware`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qbench.cli.common import FOLDER, output_options, show_tables

if TYPE_CHECKING:
    from qbench.boards.packed_weights import PackedModel

_board = click.option(
    "--board", required=True, metavar="BOARD", help="stm32f405, mps2-an386, mps2-an500 or mps3-an547."
)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Build a board's firmware, give it a model, and flash it."""


@command.command(epilog="Example: qbench firmware build --board stm32f405")
@_board
@click.option("--out", type=click.Path(path_type=Path), help="Folder to build in; a cache if not given.")
@output_options
def build(board: str, out: Path | None, quiet: bool, as_json: bool) -> None:
    """Build a board's firmware, without a model, and print its size and its deepest stack.

    With --json also the code size and the stack of every function.
    """
    from dataclasses import asdict

    from qbench.boards import board_named
    from qbench.boards.image import build, footprint, functions
    from qbench.boards.stack import RESERVED

    target = board_named(board)
    elf = build(target, out)
    sizes = footprint(elf, target)
    if as_json:
        each = {name: asdict(size) for name, size in functions(elf).items()}
        parts = {"image": str(elf), "board": board, **asdict(sizes), "functions": each}
        click.echo(json.dumps(parts, indent=2))
    elif not quiet:
        rows = (
            ("firmware in flash", f"{sizes.flash:,}", f"{target.memory['FLASH'].bytes:,}"),
            ("variables in RAM", f"{sizes.ram:,}", f"{target.ram_bytes:,}"),
            ("stack, at most", f"{sizes.stack:,}", f"{RESERVED:,}"),
        )
        _show(f"The firmware of {board}, in bytes", rows)
        click.echo(f"room for a model: {sizes.model_room:,} bytes of flash, {sizes.arena_room:,} of RAM")
        click.echo(f"the deepest stack: {' > '.join(sizes.stack_path)}")
        click.echo(f"firmware written: {elf}")


@command.command(epilog="Example: qbench firmware pack out/bundle --board stm32f405 --out out/image.elf")
@click.argument("bundle", type=FOLDER)
@_board
@click.option("--out", type=_FILE, required=True, metavar="FILE", help="The image to write, an ELF file.")
@click.option(
    "--pack-weights",
    is_flag=True,
    help="Store weights of at most 16 levels in 1, 2 or 4 bits each: less flash.",
)
@output_options
def pack(bundle: Path, board: str, out: Path, pack_weights: bool, quiet: bool, as_json: bool) -> None:
    """Place BUNDLE's int8.tflite in a board's firmware; refuses what does not fit flash or RAM."""
    from dataclasses import asdict

    from qbench.artifacts import load
    from qbench.boards import board_named
    from qbench.boards.packed_weights import pack_weights as packed_twin
    from qbench.runtimes.packing import build_packed

    target = board_named(board)
    model = (load(bundle, "bundle").path / "int8.tflite").read_bytes()
    twin = packed_twin(model) if pack_weights else None
    made = build_packed(twin.content if twin else model, target, out)
    if as_json:
        found = {**asdict(made), "image": str(made.image), "board": board}
        if twin:
            found["packed"] = [asdict(each) for each in twin.constants]
            found["unpacked_model"] = twin.original_bytes
        click.echo(json.dumps(found, indent=2))
    elif not quiet:
        rows = (
            ("model in flash", f"{made.model:,}", f"{made.firmware.model_room:,}"),
            ("arena and one input in RAM", f"{made.arena + made.frame:,}", f"{made.firmware.arena_room:,}"),
        )
        _show(f"The model on {board}, in bytes", rows)
        if twin:
            click.echo(_saving(twin))
        click.echo(f"image written: {made.image}")


@command.command(epilog="Example: qbench firmware flash out/image.elf --board stm32f405")
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_board
@click.option(
    "--tool",
    type=click.Choice(["openocd", "st-flash"]),
    default="openocd",
    show_default=True,
    help="What flashes.",
)
@click.option("--print", "only_print", is_flag=True, help="Print the commands, and run nothing.")
def flash(image: Path, board: str, tool: str, only_print: bool) -> None:
    """Write IMAGE into a board's flash over an ST-LINK."""
    from typing import cast

    from qbench.boards import board_named
    from qbench.boards.flashing import Tool, flash, flash_commands

    commands = flash_commands(board_named(board), image, cast("Tool", tool))
    for each in commands:
        click.echo(shlex.join(each))
    if not only_print:
        flash(commands)


def _saving(twin: PackedModel) -> str:
    """What packing did, in a line."""
    if not twin.constants:
        return "nothing to pack: every weight tensor has more than 16 levels; the model is stored as it is"
    values, taken = (sum(getattr(each, what) for each in twin.constants) for what in ("values", "bytes"))
    return (
        f"weights packed: {values:,} in {taken:,} bytes; the model takes {len(twin.content):,} bytes of "
        f"flash instead of {twin.original_bytes:,} ({1 - len(twin.content) / twin.original_bytes:.0%} less)"
    )


def _show(title: str, rows: tuple[tuple[str, str, str], ...]) -> None:
    from qbench.reporting.cells import Table

    show_tables([Table(title, ("what", "takes", "of"), rows)])
