"""Image files to one array of pixels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from qbench.data.trees import FileTree
from qbench.errors import UserError
from qbench.progress import Progress

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")

_FORMATS = ("PNG", "JPEG", "BMP")

# Pillow's modes with 8 bits a channel, and the one each is stored as; transparency is dropped.
_STORED_MODE = {"1": "L", "L": "L", "LA": "L", "P": "RGB", "RGB": "RGB", "RGBA": "RGB"}

# Images a thread decodes at a turn: tiny images would otherwise cost more to hand out than to decode.
_CHUNK = 256


def is_image(name: str) -> bool:
    """Whether a file name is one of an image that can be read."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def decode_images(tree: FileTree, names: Sequence[str], progress: Progress) -> NDArray[np.uint8]:
    """Decode images of equal shape in a pool of threads.

    Returns:
        [n, height, width, channels] in the order of `names`; 1 channel for grey images, 3 for colour.

    Raises:
        UserError: an image is damaged, of an unsupported kind, or of another shape than the first.
    """
    first = _decode(tree, names[0])
    pixels = np.empty((len(names), *first.shape), np.uint8)

    def decode_chunk(start: int) -> int:
        chunk = names[start : start + _CHUNK]
        for index, name in enumerate(chunk, start):
            image = _decode(tree, name)
            if image.shape != first.shape:
                raise UserError(
                    f"{name} in {tree.path} is {_size(image)}, but {names[0]} is {_size(first)}",
                    cause="all images of a data set must be of one size and all grey or all colour",
                    hint="resize or convert the images first",
                )
            pixels[index] = image
        return len(chunk)

    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        progress.task(f"decoding {tree.path.name}", len(names)) as advance,
    ):
        for done in pool.map(decode_chunk, range(0, len(names), _CHUNK)):
            advance(done)
    return pixels


def _decode(tree: FileTree, name: str) -> NDArray[np.uint8]:
    """One image, [height, width, channels] uint8."""
    from PIL import Image

    content = tree.read(name)
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as image:
            mode = _STORED_MODE.get(image.mode)
            if mode is not None:
                pixels = np.asarray(image if image.mode == mode else image.convert(mode))
                return pixels.reshape(*pixels.shape[:2], -1)
            found = image.mode
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(
            f"{name} in {tree.path} cannot be decoded: {_short(error)}",
            cause="the image is truncated or damaged",
            hint="replace or remove it",
        ) from error
    raise UserError(
        f"{name} in {tree.path} has pixels of kind {found!r}",
        hint="convert it to 8-bit grey or RGB",
    )


def _size(image: NDArray[np.uint8]) -> str:
    height, width, channels = image.shape
    return f"{width}x{height} with {channels} channel{'s' * (channels > 1)}"


def _short(error: Exception) -> str:
    """An error's text without the memory address that Pillow puts there."""
    text = str(error)
    return "not an image" if text.startswith("cannot identify") else text
