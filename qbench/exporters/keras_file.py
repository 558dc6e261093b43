"""Writing `.keras` files whose bytes repeat."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def save_keras(model: keras.Model, path: Path) -> None:
    """Save a model; the same weights give the same bytes.

    Keras stores the time in the archive's metadata and in its directory, which this takes out.
    """
    written = path.with_name(f".{path.name}")  # Keras insists on the suffix
    model.save(written)
    packed = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(packed, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                kept = {k: v for k, v in json.loads(content).items() if k != "date_saved"}
                content = json.dumps({**kept, "date_saved": ""}, sort_keys=True).encode()
            target.writestr(zipfile.ZipInfo(name), content)
    written.unlink()
    path.write_bytes(packed.getvalue())
