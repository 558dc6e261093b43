"""Integer files of other makers, checked before they are taken as they are."""

from __future__ import annotations

from pathlib import Path

from qbench.artifacts import TensorSpec
from qbench.data import Dataset
from qbench.errors import UserError
from qbench.formats.ends import one_score
from qbench.formats.onnx_file import check_integer_onnx, onnx_specs
from qbench.formats.onnx_reading import read_onnx
from qbench.runtimes.specs import check_integer, read_specs


def integer_specs(file: Path, dataset: Dataset) -> tuple[TensorSpec, TensorSpec]:
    """Input and output of an integer classifier, a `.tflite` or QDQ `.onnx` file.

    Args:
        file: to read; its ends may be int8, uint8, int16 or float32.
        dataset: that it has to fit.

    Raises:
        UserError: the file is damaged, computes in float32, is no classifier, or does not fit the data.
    """
    if file.suffix == ".onnx":
        content = read_onnx(file)
        check_integer_onnx(content, str(file))
        entry, exit_ = onnx_specs(content, str(file))
    else:
        entry, exit_ = read_specs(file)
        check_integer(file)
    if len(exit_.shape) != 1:
        raise UserError(
            f"{file} gives scores of shape {exit_.shape}; a classifier gives one row",
            hint="give a network that classifies one input",
        )
    if exit_.shape == (1,):
        raise one_score(str(file))
    check_shapes(str(file), entry.shape, exit_.shape[0], dataset)
    return entry, exit_


def check_shapes(what: str, shape: tuple[int, ...], classes: int, dataset: Dataset) -> None:
    """Refuse a network that does not take this data.

    Args:
        what: the network, as an error calls it.
        shape: of an input.
        classes: that it tells apart.
        dataset: that it has to fit.

    Raises:
        UserError: inputs or classes differ.
    """
    wanted, count = dataset.info.input_shape, len(dataset.classes)
    if shape != wanted or classes != count:
        raise UserError(
            f"{what} takes inputs of shape {shape} and gives {classes} scores; "
            f"{dataset.name} has inputs of shape {wanted} and {count} classes",
            hint="give the data set that it was made for",
        )
