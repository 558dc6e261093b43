"""Opening a Keras file: the one place where a network of Keras is read."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from qbench.errors import UserError
from qbench.surrogate.allowed import check_operators

if TYPE_CHECKING:
    import keras

# The first bytes of HDF5.
_HDF5 = b"\x89HDF\r\n\x1a\n"


def open_keras(path: Path) -> keras.Model:
    """The network in a `.keras` or `.h5` file, without its optimizer.

    Raises:
        UserError: the file is damaged, needs code that is not here, or holds operators that may do more than
            compute.
    """
    import keras

    import qbench.lowbit.layers
    import qbench.surrogate.frozen  # noqa: F401 - both register layers of their own

    _check_whole(path)
    try:
        if path.suffix == ".keras":
            return keras.models.load_model(path, compile=False)
        with tempfile.TemporaryDirectory() as folder:
            return keras.models.load_model(_as_keras_3(path, Path(folder)), compile=False)
    except (ValueError, TypeError, KeyError, OSError, AttributeError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} cannot be loaded as a Keras network",
            cause=(str(error).splitlines() or [type(error).__name__])[0],
            hint="check that the file is whole, and that it needs no layers of its own",
        ) from error


def _check_whole(path: Path) -> None:
    """Refuse what cannot be such a file, and graphs in it that may do more than compute."""
    try:
        with path.open("rb") as file:
            begins = file.read(len(_HDF5))
    except OSError as error:
        raise UserError(f"cannot read {path}", cause=error.strerror) from error
    if path.suffix == ".keras" and not zipfile.is_zipfile(path):
        raise UserError(
            f"{path} cannot be loaded as a Keras network",
            cause="it is not a whole zip archive, as every .keras file is",
            hint="check that the file is whole",
        )
    if path.suffix == ".keras":
        _check_graphs(path)
    if path.suffix != ".keras" and begins != _HDF5:
        raise UserError(
            f"{path} cannot be loaded as a Keras network",
            cause="it is no HDF5 file, as every .h5 file is",
            hint="check that the file is whole",
        )


def _check_graphs(path: Path) -> None:
    """Refuse frozen graphs that would do more than compute; Keras would hide the reason behind its own."""
    import tensorflow as tf

    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename.endswith(".pb"):
                graph = tf.compat.v1.GraphDef()
                try:
                    graph.ParseFromString(archive.read(member))
                except (DecodeError, zipfile.BadZipFile) as error:
                    raise UserError(
                        f"{path} cannot be loaded as a Keras network",
                        cause=f"{member.filename}: {error}",
                        hint="check that the file is whole",
                    ) from error
                check_operators(graph, str(path))


def _as_keras_3(path: Path, folder: Path) -> Path:
    """The file, or a copy whose configuration lacks what Keras 2 wrote and Keras 3 does not take."""
    import h5py

    with h5py.File(path, "r") as file:
        stored = file.attrs.get("model_config")
    if stored is None:
        return path
    config = json.loads(stored)
    mended = _hint(config)
    if mended == config:
        return path
    copy = folder / "keras3.h5"
    shutil.copyfile(path, copy)
    with h5py.File(copy, "r+") as file:
        file.attrs["model_config"] = json.dumps(mended)
    return copy


def _hint(config: Any) -> Any:
    """A configuration without the `groups` of depthwise convolutions: they have one group a channel.

    Keras 2 inherited the option from Conv2D and wrote its default, 1, which nothing read.
    """
    if isinstance(config, list):
        return [_hint(each) for each in config]
    if not isinstance(config, dict):
        return config
    found = {key: _hint(value) for key, value in config.items()}
    inner = found.get("config")
    if found.get("class_name") in ("DepthwiseConv2D", "DepthwiseConv1D") and isinstance(inner, dict):
        if inner.get("groups", 1) != 1:
            raise UserError(
                f"the layer {inner.get('name')!r} is a depthwise convolution of {inner['groups']} groups",
                cause="Keras 2 wrote 1 there",
            )
        inner.pop("groups", None)
    return found
