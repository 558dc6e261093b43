"""The accuracy of every artefact of a bundle in the making."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import ArtifactInfo, Preprocessing, TensorSpec
from qbench.data import Dataset
from qbench.exporters.preprocessing import Scores
from qbench.inputs import InputPath
from qbench.progress import Progress
from qbench.replaying.plain import check_labels
from qbench.runtimes import runtime_class
from qbench.runtimes.saturation import saturates

# Which runtime measures which artefact; the same figures on every CPU.
_MEASURED_BY = {
    "float.keras": "float",
    "float.tflite": "tflite",
    "int8.tflite": "tflite",
    "float.onnx": "onnx",
    "int8.onnx": "onnx-exact",
}
_THREADS = 2


def measure(
    folder: Path,
    specs: Mapping[str, tuple[TensorSpec, TensorSpec]],
    dataset: Dataset,
    preprocessing: Preprocessing,
    progress: Progress,
) -> dict[str, ArtifactInfo]:
    """Run every artefact of a folder on the whole test split.

    Args:
        folder: holds the artefacts.
        specs: input and output of each, by file name.
        dataset: with the test split.
        preprocessing: from the data's domain to the network's own unit.
        progress: hears of every artefact.

    Raises:
        InternalFault: a file gives other labels when its own runtime runs it plainly.
    """
    test = dataset.test
    real = preprocessing.apply(dataset.inputs(test.x))
    found = {}
    with progress.task("measuring", len(specs)) as advance:
        for name in (each for each in _MEASURED_BY if each in specs):
            with measured(folder / name, specs[name]) as scores:
                given = scores(real)
            if Path(name).suffix in (".tflite", ".onnx"):
                check_labels(folder / name, real, given)
            labels = given.argmax(axis=1)
            found[name] = ArtifactInfo(
                bytes=(folder / name).stat().st_size,
                input=specs[name][0],
                output=specs[name][1],
                correct=int(np.sum(labels == test.y)),
                evaluated=len(test),
            )
            advance(1)
    if "int8.onnx" in specs and saturates(precise=False):
        progress.note(
            "ONNX Runtime's int8 kernels saturate at 16 bits on this CPU, which lacks VNNI: int8.onnx was "
            "measured with exact arithmetic (onnx-exact); `qbench replay --runtime onnx` shows what it gives"
        )
    return found


@contextmanager
def measured(file: Path, specs: tuple[TensorSpec, TensorSpec]) -> Iterator[Scores]:
    """The scores of an artefact, under the name that bundles give it, on the runtime that measures it."""
    entry, exit_ = specs
    runtime = runtime_class(_MEASURED_BY[file.name])(file, entry, exit_, threads=_THREADS)
    path = InputPath.to(entry, runtime.grid, Preprocessing())  # what comes is in the network's own unit

    def scores(real: NDArray[np.float32]) -> NDArray[Any]:
        return runtime.invoke(path.feed(real))

    try:
        yield scores
    finally:
        runtime.close()
