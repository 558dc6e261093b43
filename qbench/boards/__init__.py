"""The boards that the firmware runs on, as data (firmware/boards has their code)."""

from __future__ import annotations

from dataclasses import dataclass

from qbench.errors import unknown_name


@dataclass(frozen=True)
class Board:
    """One board; sizes in bytes.

    Attributes:
        name: of the board, and of its folder in firmware/boards.
        core: of Arm.
        flash_bytes, ram_bytes: what the firmware may use.
        model_address: where the section `.model` begins.
        model_bytes: what that section can hold.
        machine: of qemu-system-arm.
        counter: what the emulated board counts; on silicon a board may count cycles.
        hardware: whether it is also a board that one can buy.
    """

    name: str
    core: str
    flash_bytes: int
    ram_bytes: int
    model_address: int
    model_bytes: int
    machine: str
    counter: str = "instructions"
    hardware: bool = False


_KIB = 1024
_MIB = 1024 * _KIB

BOARDS = {
    board.name: board
    for board in (
        Board("mps2-an386", "Cortex-M4", 4 * _MIB, 4 * _MIB, 0x100000, 3 * _MIB, "mps2-an386"),
        Board("mps2-an500", "Cortex-M7", 4 * _MIB, 4 * _MIB, 0x100000, 3 * _MIB, "mps2-an500"),
        Board("mps3-an547", "Cortex-M55", 512 * _KIB, 4 * _MIB, 0x20000, 384 * _KIB, "mps3-an547"),
        Board(
            "stm32f405",
            "Cortex-M4",
            1024 * _KIB,
            128 * _KIB,
            0x08040000,
            768 * _KIB,
            "netduinoplus2",
            hardware=True,
        ),
    )
}


def board_named(name: str) -> Board:
    """The board of that name.

    Raises:
        UserError: there is none.
    """
    if name not in BOARDS:
        raise unknown_name("board", name, BOARDS)
    return BOARDS[name]
