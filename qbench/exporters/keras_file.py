"""Reading networks that users bring, and writing `.keras` files whose bytes repeat."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qbench.errors import UserError
from qbench.surrogate.keras_file import open_keras

if TYPE_CHECKING:
    import keras


def load_keras(path: Path) -> keras.Model:
    """The network in a `.keras` or `.h5` file, or in a SavedModel folder.

    Raises:
        UserError: the file is none of these, is damaged, needs code that is not here, holds NaN, or is not a
            network with one input and one output of known shapes.
    """
    if path.is_dir():
        from qbench.surrogate.frozen import load_saved_model

        model = load_saved_model(path)
    elif path.suffix in (".keras", ".h5", ".hdf5"):
        model = open_keras(path)
    else:
        raise UserError(
            f"{path} is not a network that qbench reads",
            hint="give a .keras or .h5 file, a SavedModel folder, or a folder that `qbench train` wrote",
        )
    _check_ends(model, path)
    _check_weights(model, path)
    return model


def _check_ends(model: keras.Model, path: Path) -> None:
    """Refuse anything but one float32 input and one float32 output of known shapes."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(
            f"{path} has {len(model.inputs)} inputs and {len(model.outputs)} outputs",
            cause="qbench attacks networks with one of each; several outputs are a detector's, as a rule",
            hint="give a network with one input and one output",
        )
    if None in (*model.inputs[0].shape[1:], *model.outputs[0].shape[1:]) or len(model.outputs[0].shape) < 2:
        raise UserError(
            f"{path} takes {model.inputs[0].shape} and gives {model.outputs[0].shape}",
            cause="qbench needs a fixed shape of inputs and outputs",
        )
    types = {model.inputs[0].dtype, model.outputs[0].dtype}
    if types != {"float32"}:
        raise UserError(
            f"{path} takes {model.inputs[0].dtype} and gives {model.outputs[0].dtype}",
            cause="qbench needs float32 at both ends",
            hint="save the network with float32 inputs and scores",
        )


def _check_weights(model: keras.Model, path: Path) -> None:
    """Refuse weights that are not finite."""
    for weight in model.weights:
        if not np.isfinite(weight.numpy()).all():
            raise UserError(
                f"the weight {weight.path} of {path} holds NaN or infinity",
                cause="its training diverged",
                hint="train it again with a smaller learning rate",
            )


def save_keras(model: keras.Model, path: Path) -> None:
    """Save a model; the same weights give the same bytes.

    Keras stores the time and memory addresses, which this replaces.
    """
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / path.name  # Keras insists on the suffix
        model.save(written)
        with zipfile.ZipFile(written) as source, zipfile.ZipFile(packed, "w") as target:
            for name in sorted(source.namelist()):
                target.writestr(zipfile.ZipInfo(name), _repeatable(name, source.read(name)))
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
