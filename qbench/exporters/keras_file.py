"""Reading networks that users bring, and writing `.keras` files whose bytes repeat."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from qbench.errors import UserError

if TYPE_CHECKING:
    import keras


def load_keras(path: Path) -> keras.Model:
    """The classifier in a `.keras` or `.h5` file, or in a SavedModel folder.

    Raises:
        UserError: the file is none of these, is damaged, needs code that is not here, or is not a network
            with one input of known shape and one row of scores.
    """
    if path.is_dir():
        from qbench.surrogate.frozen import load_saved_model

        model = load_saved_model(path)
    elif path.suffix in (".keras", ".h5", ".hdf5"):
        model = _load_file(path)
    else:
        raise UserError(
            f"{path} is not a network that qbench reads",
            hint="give a .keras or .h5 file, a SavedModel folder, or a folder that `qbench train` wrote",
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(
            f"{path} has {len(model.inputs)} inputs and {len(model.outputs)} outputs",
            cause="a classifier has one of each",
        )
    if None in model.inputs[0].shape[1:] or len(model.outputs[0].shape) != 2:
        raise UserError(
            f"{path} takes {model.inputs[0].shape} and gives {model.outputs[0].shape}",
            cause="qbench needs a fixed input shape and one row of scores an input",
        )
    return model


def _load_file(path: Path) -> keras.Model:
    import keras

    try:
        return keras.models.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} cannot be loaded as a Keras network",
            cause=(str(error).splitlines() or [type(error).__name__])[0],
            hint="check that the file is whole, and that it needs no layers of its own",
        ) from error


def save_keras(model: keras.Model, path: Path) -> None:
    """Save a model; the same weights give the same bytes.

    Keras stores the time and memory addresses, which this replaces.
    """
    written = path.with_name(f".{path.name}")  # Keras insists on the suffix
    model.save(written)
    packed = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(packed, "w") as target:
        for name in sorted(source.namelist()):
            target.writestr(zipfile.ZipInfo(name), _repeatable(name, source.read(name)))
    written.unlink()
    path.write_bytes(packed.getvalue())


def _repeatable(name: str, content: bytes) -> bytes:
    """A member of the archive without what changes from run to run."""
    if name == "metadata.json":
        return json.dumps({**json.loads(content), "date_saved": ""}, sort_keys=True).encode()
    if name == "config.json":
        numbers: dict[str, int] = {}
        return re.sub(
            r'("shared_object_id": )(\d+)',
            lambda found: f"{found[1]}{numbers.setdefault(found[2], len(numbers))}",
            content.decode(),
        ).encode()
    return content
