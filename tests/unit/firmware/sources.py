"""The C sources of the runtime, as the tests compile them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from qbench.places import firmware_sources


def runtime_sources() -> list[Path]:
    """What runs a model: the core, the operators, the portable kernels."""
    root = firmware_sources()
    return [
        path
        for part in ("core", "operators", "kernels/portable")
        for path in sorted(root.glob(f"{part}/*.c"))
    ]


def compile_each(compiler: Sequence[str], sources: Sequence[Path], folder: Path) -> list[str]:
    """An object for each source; files of one name are kept apart."""
    objects = []
    for source in sources:
        objects.append(str(folder / f"{source.parent.name}-{source.stem}.o"))
        subprocess.run([*compiler, "-c", str(source), "-o", objects[-1]], check=True)
    return objects
