"""Firmware images: built once a board, then given a model as data."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from qbench.boards import Board
from qbench.errors import EnvironmentLacks, InternalFault, UserError

COMPILER = "arm-none-eabi-gcc"
_OBJCOPY = "arm-none-eabi-objcopy"
_HEADER = struct.Struct("<I12x")  # bytes of the model behind it, then zeros (firmware/boards/common/main.c)
_SOURCES = Path(__file__).parents[2] / "firmware"


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
    _require("make", "make")
    _require(COMPILER, "gcc-arm-none-eabi libnewlib-arm-none-eabi")
    cache = Path(os.environ.get("QBENCH_CACHE") or Path.home() / ".cache" / "qbench")
    folder = (folder or cache / "firmware" / _source_digest()).resolve()
    command = ["make", "-C", str(_SOURCES), f"BOARD={board.name}", f"BUILD={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise InternalFault(f"the firmware of {board.name} does not build", cause=done.stderr.strip()[-2000:])
    return folder / board.name / "firmware.elf"


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
        UserError: the model does not fit the board's flash; with the numbers.
        EnvironmentLacks: objcopy is not installed.
        InternalFault: objcopy failed; with its words.
    """
    room = board.model_bytes - _HEADER.size
    if len(tflite) > room:
        raise UserError(
            f"the model takes {len(tflite):,} bytes, and {board.name} has {room:,} bytes of flash for it",
            hint="choose a smaller network or another board",
        )
    _require(_OBJCOPY, "binutils-arm-none-eabi")
    with tempfile.NamedTemporaryFile() as section:
        section.write(_HEADER.pack(len(tflite)) + tflite)
        section.flush()
        command = [_OBJCOPY, "--update-section", f".model={section.name}", str(elf), str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise InternalFault("objcopy cannot place the model", cause=done.stderr.strip())
    return out


def _source_digest() -> str:
    """Names the firmware's sources: two versions of them never share a folder of the cache."""
    digest = hashlib.sha256()
    for path in sorted(p for p in _SOURCES.rglob("*") if p.suffix in {".c", ".h", ".S", ".ld", ".mk"}):
        digest.update(path.relative_to(_SOURCES).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _require(program: str, packages: str) -> None:
    if not shutil.which(program):
        raise EnvironmentLacks(f"there is no {program}", hint=f"apt-get install {packages}")
