"""The accuracy of every artefact of a bundle in the making."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import ArtifactInfo, Preprocessing, TaskInfo, TensorSpec
from qbench.data import Dataset
from qbench.exporters.preprocessing import Scores
from qbench.inputs import InputPath, dequantize_tensor
from qbench.progress import Progress
from qbench.replaying.plain import Judge, check_labels
from qbench.runtimes import runtime_class
from qbench.runtimes.saturation import saturates
from qbench.tasks import task_of
from qbench.tasks.roc import auc

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
    task: TaskInfo,
    progress: Progress,
) -> dict[str, ArtifactInfo]:
    """Run every artefact of a folder on the whole test split.

    Args:
        folder: holds the artefacts.
        specs: input and output of each, by file name.
        dataset: with the test split.
        preprocessing: from the data's domain to the network's own unit.
        task: what outputs mean.
        progress: hears of every artefact.

    Raises:
        InternalFault: a file gives other labels when its own runtime runs it plainly.
    """
    test = dataset.test
    real = preprocessing.apply(dataset.inputs(test.x))
    found = {}
    with progress.task("measuring", len(specs)) as advance:
        for name in (each for each in _MEASURED_BY if each in specs):
            with measure_outputs(folder / name, specs[name]) as outputs:
                given = outputs(real)
            judge = scorer_for(specs[name], task, test.values)
            if Path(name).suffix in (".tflite", ".onnx"):
                check_labels(folder / name, real, given, judge)
            scores = judge(given, real, np.arange(len(test)))
            labels = scores.argmax(axis=1)
            found[name] = ArtifactInfo(
                bytes=(folder / name).stat().st_size,
                input=specs[name][0],
                output=specs[name][1],
                correct=int(np.sum(labels == test.y)),
                evaluated=len(test),
                auc=auc(scores[:, 1], test.y) if task.kind == "anomaly" else None,
            )
            advance(1)
    if "int8.onnx" in specs and saturates(precise=False):
        progress.note(
            "ONNX Runtime's int8 kernels saturate at 16 bits on this CPU, which lacks VNNI: int8.onnx was "
            "measured with exact arithmetic (onnx-exact); `qbench replay --runtime onnx` shows what it gives"
        )
    return found


@contextmanager
def measure_outputs(file: Path, specs: tuple[TensorSpec, TensorSpec]) -> Iterator[Scores]:
    """The outputs of an artefact, under the name that bundles give it, on the runtime that measures it."""
    entry, exit_ = specs
    runtime = runtime_class(_MEASURED_BY[file.name])(file, entry, exit_, threads=_THREADS)
    path = InputPath.to(entry, runtime.grid, Preprocessing())  # what comes is in the network's own unit

    def outputs(real: NDArray[np.float32]) -> NDArray[Any]:
        return runtime.invoke(path.feed(real))

    try:
        yield outputs
    finally:
        runtime.close()


def scorer_for(
    specs: tuple[TensorSpec, TensorSpec], task: TaskInfo, values: NDArray[np.float32] | None
) -> Judge:
    """What makes scores [n, classes] of an artefact's outputs, and of the inputs in the network's own unit.

    Args:
        specs: input and output of the artefact.
        task: what outputs mean.
        values: [n, elements], the true values of a regression.
    """
    entry, exit_ = specs
    meaning = task_of(task)
    path = InputPath.to(entry, entry.quantization, Preprocessing())
    if task.plain:
        return lambda outputs, *_: outputs

    def judge(outputs: NDArray[Any], real: NDArray[np.float32], positions: NDArray[np.int64]) -> NDArray[Any]:
        flat = dequantize_tensor(outputs.reshape(len(outputs), -1), exit_)
        scores = meaning.scores(flat, lambda: dequantize_tensor(path.feed(real), entry))
        return meaning.rows(scores, None if values is None else values[positions])

    return judge
