"""What a `.tflite` file says of its own ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from qbench.artifacts import TensorSpec
from qbench.errors import UserError
from qbench.runtimes.tflite import inner_grid, make_interpreter


def read_specs(path: Path) -> tuple[TensorSpec, TensorSpec]:
    """Input and output of a `.tflite` file, which TFLite's verifier accepts.

    Raises:
        UserError: the file is damaged, is no TFLite model, or has several inputs or outputs, or tensors that
            are not int8, uint8 or float32.
    """
    interpreter = _open(path)
    try:
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    except UnicodeDecodeError as error:
        raise _not_a_model(path, error) from error
    return _spec(path, "input", inputs), _spec(path, "output", outputs)


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


def _spec(path: Path, role: str, tensors: list[dict[str, Any]]) -> TensorSpec:
    if len(tensors) != 1:
        raise UserError(
            f"{path} has {len(tensors)} {role}s; a classifier has one",
            hint="give a network that classifies one input",
        )
    tensor = tensors[0]
    dtype = np.dtype(tensor["dtype"]).name
    if dtype not in ("int8", "uint8", "float32"):
        raise UserError(
            f"the {role} of {path} is {dtype}; qbench takes int8, uint8 or float32",
            hint="convert it again with ends of one of these types",
        )
    quantization = tensor["quantization_parameters"]
    integer = dtype != "float32"
    if integer and len(quantization["scales"]) != 1:
        raise UserError(
            f"the {role} of {path} is {dtype} with {len(quantization['scales'])} scales, not one",
            hint="convert it again with its ends quantized per tensor",
        )
    return TensorSpec(
        name=tensor["name"],
        shape=tuple(int(size) for size in tensor["shape"][1:]),
        dtype=dtype,
        scale=float(quantization["scales"][0]) if integer else None,
        zero_point=int(quantization["zero_points"][0]) if integer else None,
    )
