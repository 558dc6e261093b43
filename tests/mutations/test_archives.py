"""Mutated data archives: .npz files and zips of images."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from qbench.data import load_dataset
from tests.mutations.common import hold


def npz() -> bytes:
    """Twelve small images with labels and names."""
    rng, file = np.random.default_rng(0), io.BytesIO()
    images = rng.integers(0, 256, (12, 4, 4, 3)).astype(np.uint8)
    np.savez_compressed(file, x=images, y=np.arange(12) % 3, classes=np.array(["a", "b", "c"]))
    return file.getvalue()


def images() -> bytes:
    """The same as PNG files in class folders."""
    rng, file = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(12):
            picture = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, (4, 4, 3)).astype(np.uint8)).save(picture, "PNG")
            archive.writestr(f"{'abc'[i % 3]}/{i}.png", picture.getvalue())
    return file.getvalue()


def changed(rng, content: bytes) -> bytes:
    """Members with other bytes in the header, larger shapes, other names; or other bytes in the archive."""
    if rng.random() < 0.3:
        data = bytearray(content)
        for _ in range(rng.integers(1, 9)):
            data[rng.integers(len(data))] = rng.integers(256)
        return bytes(data[: rng.integers(1, len(data) + 1)] if rng.random() < 0.3 else data)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(file, "w") as after:
        members = before.namelist()
        chosen = members[rng.integers(len(members))]
        for member in members:
            data, name = bytearray(before.read(member)), member
            if member == chosen:
                kind = rng.integers(5)
                if kind == 0:
                    name = ["../x.png", "/etc/x.npy", "y.npy", "c" * 300 + ".png", "a/../../b.png"][
                        rng.integers(5)
                    ]
                elif kind == 1:
                    data = data[: rng.integers(len(data) + 1)]
                elif kind == 2:
                    data = data.replace(b"(", b"(%d, " % (1 << rng.integers(1, 62)), 1)
                else:
                    for _ in range(rng.integers(1, 5)):
                        data[rng.integers(min(len(data), 140))] = rng.integers(256)
            after.writestr(name, bytes(data))
    return file.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("ending", "source"), [("npz", npz), ("zip", images)])
def test_archives(tmp_path, ending, source):
    file, content = tmp_path / f"data.{ending}", source()

    def read(data):
        file.write_bytes(data)
        dataset = load_dataset(str(file))
        assert dataset.info.classes

    hold(read, lambda number: changed(np.random.default_rng(number), content))
