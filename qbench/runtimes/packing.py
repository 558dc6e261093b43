"""A board's firmware with a model in it, refused before anything is flashed if the board is too small."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qbench.boards import Board
from qbench.boards.image import Footprint, build, footprint, pack
from qbench.errors import UserError
from qbench.link.codec import OVERHEAD
from qbench.runtimes.hostlib import HostModel


@dataclass(frozen=True)
class Packed:
    """An image with a model; sizes in bytes.

    Attributes:
        image: its path.
        firmware: what the firmware takes and leaves.
        model: in flash.
        arena: that the model needs in RAM.
        frame: that receiving one input needs beside it.
    """

    image: Path
    firmware: Footprint
    model: int
    arena: int
    frame: int


def build_packed(tflite: bytes, board: Board, out: Path) -> Packed:
    """Build a board's firmware, and place a model in it.

    Args:
        tflite: the bytes of a `.tflite` file.
        board: which.
        out: the image to write.

    Raises:
        UserError: the model is damaged or asks for what the firmware does not do, or does not fit the board's
            flash or RAM; with the numbers.
        EnvironmentLacks: a compiler or make is not installed.
    """
    model = HostModel(tflite)
    arena = model.arena
    frame = OVERHEAD + sum(int(np.prod(t.shape)) * np.dtype(t.dtype).itemsize for t in model.inputs)
    model.close()
    elf = build(board)
    sizes = footprint(elf, board)
    if arena + frame > sizes.arena_room:
        raise UserError(
            f"the model needs {arena:,} bytes of RAM for its arena and {frame:,} for an input on its way, "
            f"and {board.name} has {sizes.arena_room:,}",
            hint="choose a smaller network or another board",
        )
    return Packed(pack(elf, tflite, board, out), sizes, len(tflite), arena, frame)
