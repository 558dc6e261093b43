"""Firmware images: built once a board, then given a model as data."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from qbench.boards import Board
from qbench.boards.stack import RESERVED, measure_stack
from qbench.errors import InternalFault, UserError
from qbench.places import cache_dir, firmware_digest, firmware_sources, require_programs

COMPILER = "arm-none-eabi-gcc"
_OBJCOPY = "arm-none-eabi-objcopy"
_NM = "arm-none-eabi-nm"
_BINUTILS = "binutils-arm-none-eabi"
_HEADER = struct.Struct("<I12x")  # bytes of the model behind it, then zeros (firmware/boards/common/main.c)


@dataclass(frozen=True)
class Footprint:
    """What a firmware takes of its board, and what it leaves for a model; in bytes.

    Attributes:
        flash: code, constants and initial values.
        ram: variables; the stack is not among them.
        model_room: for a `.tflite`, in its own section of the flash.
        arena_room: for a model's arena and the frame of one input, in RAM.
        stack: at most, an interrupt on top included; RESERVED of `qbench.boards.stack` is kept free for it.
        stack_path: the functions that take it, from `main` down.
    """

    flash: int
    ram: int
    model_room: int
    arena_room: int
    stack: int
    stack_path: tuple[str, ...]


@dataclass(frozen=True)
class FunctionSize:
    """Of one function of a firmware, in bytes."""

    code: int
    stack: int


def build(board: Board, folder: Path | None = None) -> Path:
    """Build the board's firmware, without a model; nothing is done where it is up to date.

    Args:
        board: which.
        folder: for what is made, in a folder of the board's name; the user's cache when not given.

    Returns:
        The path of the ELF image.

    Raises:
        EnvironmentLacks: the cross compiler or make is not installed.
        InternalFault: the build failed; with the compiler's words.
    """
    compiler = "gcc-arm-none-eabi libnewlib-arm-none-eabi"
    require_programs(f"the firmware of {board.name}", {"make": "make", COMPILER: compiler})
    folder = (folder or cache_dir() / "firmware" / firmware_digest()[:16]).resolve()
    command = ["make", "-C", str(firmware_sources()), f"BOARD={board.name}"]
    command += [f"BOARD_DIR={board.folder}", f"BUILD={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise InternalFault(f"the firmware of {board.name} does not build", cause=done.stderr.strip()[-2000:])
    return folder / board.name / "firmware.elf"


def footprint(elf: Path, board: Board) -> Footprint:
    """The sizes of an image that `build` returned.

    Raises:
        EnvironmentLacks: nm is not installed.
        InternalFault: nm failed, with its words; or the stack may outgrow its place.
    """
    at, stack = _symbols(elf), measure_stack(elf.parent)
    if stack.bytes > RESERVED:
        raise InternalFault(
            f"the firmware of {board.name} may need {stack.bytes:,} bytes of stack, and has {RESERVED:,}",
            cause=" > ".join(stack.path),
        )
    initial = at["data_end"] - at["data_start"]
    return Footprint(
        flash=at["data_load"] + initial - board.memory["FLASH"].origin,
        ram=initial + at["bss_end"] - at["bss_start"],
        model_room=board.memory["MODEL"].bytes - _HEADER.size,
        arena_room=at["arena_end"] - at["arena_start"],
        stack=stack.bytes,
        stack_path=stack.path,
    )


def functions(elf: Path) -> dict[str, FunctionSize]:
    """The firmware's own functions by name, the largest first.

    Raises:
        EnvironmentLacks: nm is not installed.
        InternalFault: nm failed; with its words.
    """
    require_programs("reading an image", {_NM: _BINUTILS})
    own = measure_stack(elf.parent).own
    lines = (line.split() for line in _run([_NM, "--print-size", "--size-sort", "-r", str(elf)]).splitlines())
    sizes = ((words[3], int(words[1], 16)) for words in lines if len(words) == 4 and words[2] in "tT")
    return {name: FunctionSize(code, own[name]) for name, code in sizes if name in own}


def pack(elf: Path, tflite: bytes, board: Board, out: Path) -> Path:
    """Place a model into the section `.model` of a firmware image.

    Args:
        elf: the image that `build` returned.
        tflite: the bytes of a `.tflite` file.
        board: the image's.
        out: the new image.

    Returns:
        `out`.

    Raises:
        UserError: the model does not fit the board's flash, with the numbers; or `out` cannot be written.
        EnvironmentLacks: objcopy is not installed.
        InternalFault: objcopy failed; with its words.
    """
    room = board.memory["MODEL"].bytes - _HEADER.size
    if len(tflite) > room:
        raise UserError(
            f"the model takes {len(tflite):,} bytes, and {board.name} has {room:,} bytes of flash for it",
            hint="choose a smaller network or another board",
        )
    require_programs("placing a model in an image", {_OBJCOPY: _BINUTILS})
    try:
        with tempfile.TemporaryDirectory(dir=out.parent) as folder:
            section, image = Path(folder) / "model", Path(folder) / "image.elf"
            section.write_bytes(_HEADER.pack(len(tflite)) + tflite)
            _run([_OBJCOPY, "--update-section", f".model={section}", str(elf), str(image)])
            image.replace(out)
    except OSError as error:
        raise UserError(f"cannot write {out}", cause=error.strerror) from error
    return out


def _symbols(elf: Path) -> dict[str, int]:
    """Addresses by name."""
    require_programs("reading an image", {_NM: _BINUTILS})
    lines = (line.split() for line in _run([_NM, str(elf)]).splitlines())
    return {words[2]: int(words[0], 16) for words in lines if len(words) == 3}


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise InternalFault(f"{command[0]} failed", cause=done.stderr.strip())
    return done.stdout
