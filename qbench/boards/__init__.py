"""The boards that the firmware runs on, as data (firmware/boards has their code)."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from qbench.places import firmware_sources
from qbench.registry import Registry

_REGION = re.compile(r"(\w+) \(\w+\) : ORIGIN = (0x[0-9a-fA-F]+), LENGTH = (\d+)([KM])")
_UNITS = {"K": 1024, "M": 1024 * 1024}


@dataclass(frozen=True)
class Region:
    """Memory that the linker may fill: its first address and its size in bytes."""

    origin: int
    bytes: int


@dataclass(frozen=True)
class Board:
    """One board.

    Attributes:
        name: of the board, and of its folder in firmware/boards if it has no other.
        core: of Arm.
        machine: of qemu-system-arm.
        openocd: the target script of OpenOCD that programs its flash; None if it is no board to buy.
        place: its folder, of a board that another package brings.
    """

    name: str
    core: str
    machine: str
    openocd: str | None = None
    place: Path | None = None

    @property
    def folder(self) -> Path:
        """Its startup, linker script, UART and counter, and `board.mk`."""
        return self.place or firmware_sources() / "boards" / self.name

    @functools.cached_property
    def memory(self) -> dict[str, Region]:
        """FLASH (the firmware's), MODEL and RAM, as the board's linker script has them."""
        script = (self.folder / "memory.ld").read_text()
        return {
            name: Region(int(origin, 16), int(size) * _UNITS[unit])
            for name, origin, size, unit in _REGION.findall(script)
        }

    @property
    def flash_bytes(self) -> int:
        """Flash for firmware and model together."""
        return self.memory["FLASH"].bytes + self.memory["MODEL"].bytes

    @property
    def ram_bytes(self) -> int:
        """RAM that the firmware may use."""
        return self.memory["RAM"].bytes


# Another package adds its own, a `Board` with its folder, as an entry point of the group `qbench.boards`.
BOARDS: Registry[Board] = Registry(
    "board",
    "qbench.boards",
    {
        board.name: board
        for board in (
            Board("mps2-an386", "Cortex-M4", "mps2-an386"),
            Board("mps2-an500", "Cortex-M7", "mps2-an500"),
            Board("mps3-an547", "Cortex-M55", "mps3-an547"),
            Board("stm32f405", "Cortex-M4", "netduinoplus2", openocd="target/stm32f4x.cfg"),
        )
    },
)


def board_named(name: str) -> Board:
    """The board of that name.

    Raises:
        UserError: there is none.
    """
    return BOARDS.load(name)
