"""Integer files of other makers, checked before they are taken as they are."""

from __future__ import annotations

from pathlib import Path

from qbench.artifacts import TensorSpec
from qbench.formats.onnx_file import check_integer_onnx, onnx_specs
from qbench.formats.onnx_reading import read_onnx
from qbench.runtimes.specs import check_integer, read_specs
from qbench.surrogate.lifted import final_sigmoid
from qbench.tasks.recognition import Ends


def integer_specs(file: Path) -> tuple[TensorSpec, TensorSpec]:
    """Input and output of an integer network, a `.tflite` or QDQ `.onnx` file.

    Args:
        file: to read; its ends may be int8, uint8, int16 or float32.

    Raises:
        UserError: the file is damaged or computes in float32.
    """
    if file.suffix == ".onnx":
        content = read_onnx(file)
        check_integer_onnx(content, str(file))
        entry, exit_ = onnx_specs(content, str(file))
    else:
        entry, exit_ = read_specs(file)
        check_integer(file)
    return entry, exit_


def ends_of(file: Path, specs: tuple[TensorSpec, TensorSpec], front_end: str | None) -> Ends:
    """The two ends of an integer file, as its task is recognized by.

    Args:
        file: a `.tflite` or QDQ `.onnx`.
        specs: its input and output.
        front_end: what stands in front of it, if anything does.

    Raises:
        UserError: the file cannot be read.
    """
    entry, exit_ = specs
    sigmoid = exit_.shape == (1,) and final_sigmoid(
        read_onnx(file) if file.suffix == ".onnx" else file.read_bytes()
    )
    return Ends(str(file), entry.shape, exit_.shape, sigmoid, front_end)
