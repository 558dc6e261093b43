"""The accuracy of every artefact of a bundle in the making."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from qbench.artifacts import ArtifactInfo, Preprocessing, TensorSpec
from qbench.data import Dataset
from qbench.progress import Progress
from qbench.runtimes import runtime_class

# Which runtime measures which artefact.
_MEASURED_BY = {
    "float.keras": "float",
    "float.tflite": "tflite",
    "int8.tflite": "tflite",
    "float.onnx": "onnx",
    "int8.onnx": "onnx",
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
    """
    test = dataset.test
    real = preprocessing.apply(dataset.inputs(test.x))
    found = {}
    with progress.task("measuring", len(specs)) as advance:
        for name in (each for each in _MEASURED_BY if each in specs):
            entry, exit_ = specs[name]
            runtime = runtime_class(_MEASURED_BY[name])(folder / name, entry, exit_, threads=_THREADS)
            quantization = entry.quantization
            scores = runtime.invoke(quantization.quantize(real) if quantization else real)
            runtime.close()
            found[name] = ArtifactInfo(
                bytes=(folder / name).stat().st_size,
                input=entry,
                output=exit_,
                correct=int(np.sum(scores.argmax(axis=1) == test.y)),
                evaluated=len(test),
            )
            advance(1)
    return found
