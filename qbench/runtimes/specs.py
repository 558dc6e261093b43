"""What a `.tflite` file says of its own ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from qbench.artifacts import TensorSpec
from qbench.errors import UserError
from qbench.quant import Quantization
from qbench.runtimes.tflite import inner_grid, make_interpreter, specs_of


def read_specs(path: Path) -> tuple[TensorSpec, TensorSpec]:
    """Input and output of a `.tflite` file, which TFLite's verifier accepts.

    Raises:
        UserError: the file is damaged, is no TFLite model, or has several inputs or outputs, or tensors that
            are not int8, uint8, int16 or float32.
    """
    return specs_of(_open(path), str(path))


def grid_of(path: Path, entry: TensorSpec) -> Quantization | None:
    """The grid that a `.tflite` file's inputs are rounded to; None if it computes in float32.

    Args:
        path: of the file.
        entry: its input; one of float32 may be quantized by the first operator.

    Raises:
        UserError: the file cannot be read.
    """
    return entry.quantization or inner_grid(_open(path))


def check_integer(path: Path) -> None:
    """Refuse a network that computes in float32, which is no integer artefact.

    Raises:
        UserError: it takes float32 and does not quantize it first.
    """
    interpreter = _open(path)
    takes = np.dtype(interpreter.get_input_details()[0]["dtype"]).name
    if takes == "float32" and inner_grid(interpreter) is None:
        raise UserError(
            f"{path} is not an integer network",
            cause="it takes float32 and computes in it; only its weights may be int8",
            hint="adopt a fully quantized file, or let qbench convert the float network",
        )


def _open(path: Path) -> Any:
    try:
        return make_interpreter(path.read_bytes(), "BUILTIN_WITHOUT_DEFAULT_DELEGATES")
    except OSError as error:
        raise UserError(f"cannot read {path}", cause=error.strerror) from error
    except (ValueError, RuntimeError) as error:
        raise _not_a_model(path, error) from error


def _not_a_model(path: Path, error: Exception) -> UserError:
    return UserError(
        f"{path} is not a TFLite model that can be run",
        cause=" ".join(str(error).split()),
        hint="check that the file is whole: a truncated copy or another format looks like this",
    )
