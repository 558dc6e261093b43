"""Bringing an image onto a board that one can hold in the hand."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Literal

from qbench.boards import BOARDS, Board
from qbench.errors import EnvironmentLacks, UserError
from qbench.places import require_programs

Tool = Literal["openocd", "st-flash"]


def flash_commands(board: Board, image: Path, tool: Tool) -> list[list[str]]:
    """The commands that write an image into the board's flash over an ST-LINK, check it, and start it.

    Args:
        board: which.
        image: an ELF file that `pack` wrote.
        tool: OpenOCD, which reads ELF, or st-flash of stlink-tools, which takes a raw binary.

    Raises:
        UserError: the board exists in an emulator only.
    """
    if board.openocd is None:
        real = ", ".join(each.name for each in BOARDS.values() if each.openocd)
        raise UserError(
            f"{board.name} is an emulated board, which nothing needs to be flashed to",
            hint=f"replay with --device qemu:{board.name}; boards to flash: {real}",
        )
    if tool == "openocd":
        program = f"program {tcl_word(str(image.resolve()))} verify reset exit"
        return [["openocd", "-f", "interface/stlink.cfg", "-f", board.openocd, "-c", program]]
    binary = image.with_suffix(".bin")
    return [
        ["arm-none-eabi-objcopy", "-O", "binary", str(image), str(binary)],
        ["st-flash", "--reset", "write", str(binary), f"{board.memory['FLASH'].origin:#010x}"],
    ]


def tcl_word(text: str) -> str:
    """A text as one word of Tcl, which OpenOCD reads: nothing in it is run or split.

    Raises:
        UserError: it holds a line break, which no word can.
    """
    if "\n" in text or "\r" in text or "\0" in text:
        raise UserError(f"the path {text!r} holds a line break", hint="move the image to another folder")
    return re.sub(r"([^\w./-])", r"\\\1", text)


def flash(commands: list[list[str]]) -> None:
    """Run the commands that `flash_commands` returned; what they say goes to the terminal.

    Raises:
        EnvironmentLacks: a tool is not installed, or fails, as it does where no board is plugged in.
    """
    packages = {
        "openocd": "openocd",
        "st-flash": "stlink-tools",
        "arm-none-eabi-objcopy": "binutils-arm-none-eabi",
    }
    for command in commands:
        require_programs("flashing", {command[0]: packages[command[0]]})
        code = subprocess.run(command, check=False).returncode  # noqa: S603
        if code:
            raise EnvironmentLacks(
                f"{command[0]} failed with exit code {code}",
                cause="no ST-LINK with a board is plugged in, or this user may not open it",
                hint="check the cable; on Linux, install the tool's udev rules or try as root",
            )
