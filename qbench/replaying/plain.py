"""The labels that a file gives when its own runtime runs it, with nothing of qbench's in between.

Whatever qbench assumes of a file - the type of its codes, its scales, its layout - would change labels
without a word. Every artefact is therefore held against this plain run when a bundle is made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import InternalFault
from qbench.runtimes.saturation import saturates

# Inputs of the comparison.
COUNT = 300
# Float scores closer than this share of the largest may change places with the size of a batch.
_TIE = 1e-4

# From outputs [n, *shape] for inputs [n, *shape] in the network's own unit, and the positions [n] of these in
# the data, to scores [n, classes].
Judge = Callable[[NDArray[Any], NDArray[np.float32], NDArray[np.int64]], NDArray[Any]]


def check_labels(file: Path, real: NDArray[np.float32], outputs: NDArray[Any], judge: Judge) -> None:
    """Hold what qbench computed against a plain run of the file.

    Args:
        file: a `.tflite` or `.onnx`.
        real: [n, *shape] float32 in the network's own unit.
        outputs: [n, *shape], what qbench's own path gave for them.
        judge: makes scores of outputs.

    Raises:
        InternalFault: another label, where it is no tie of float scores.
    """
    rows = np.linspace(0, len(real) - 1, min(COUNT, len(real))).astype(int)
    plain_outputs = _RUN[file.suffix](file, real[rows]).reshape(outputs[rows].shape)
    ours, plain = (judge(each, real[rows], rows) for each in (outputs[rows], plain_outputs))
    differ = np.flatnonzero(ours.argmax(axis=1) != plain.argmax(axis=1))
    if plain.dtype == np.float32 and ours.dtype == np.float32:
        top = np.sort(plain[differ], axis=1)
        close = top[:, -1] - top[:, -2] < _TIE * np.abs(plain[differ]).max(axis=1, initial=0)
        differ = differ[~close]
    if len(differ):
        raise InternalFault(
            f"{file.name} gives other labels in qbench than when its own runtime runs it: "
            f"{len(differ)} of {len(rows)} inputs",
            cause=f"the first is input {rows[differ[0]]}: {ours[differ[0]].argmax()} in qbench, "
            f"{plain[differ[0]].argmax()} plainly; qbench misreads the file's input or output",
            hint="please report it with the file; nothing was written",
        )


def _run_tflite(file: Path, real: NDArray[np.float32]) -> NDArray[Any]:
    """Input by input, rounded by what the file says of its input."""
    from ai_edge_litert.interpreter import Interpreter

    from qbench.formats.tflite_file import prepare

    interpreter = Interpreter(model_content=prepare(file.read_bytes()), num_threads=1)
    (entry,), (exit_,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.allocate_tensors()
    fed = real
    if entry["dtype"] != np.float32:
        scale, zero_point = entry["quantization"]
        info = np.iinfo(entry["dtype"])
        steps = real / np.float32(scale)
        away = np.trunc(steps + np.copysign(np.float32(0.5), steps))
        fed = np.clip(away + zero_point, info.min, info.max).astype(entry["dtype"])
    found = []
    for each in fed:
        interpreter.set_tensor(entry["index"], each[np.newaxis])
        interpreter.invoke()
        found.append(interpreter.get_tensor(exit_["index"]).reshape(-1))
    return np.stack(found)


def _run_onnx(file: Path, real: NDArray[np.float32]) -> NDArray[Any]:
    """In batches of the file's own size; its own quantizer rounds, and sums are exact on every CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if saturates(precise=False):
        options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    batch = entry.shape[0] if isinstance(entry.shape[0], int) else 1
    found = []
    for start in range(0, len(real), batch):
        part = real[start : start + batch]
        whole = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)])
        (scores,) = session.run(None, {entry.name: whole})
        found.append(scores.reshape(batch, -1)[: len(part)])
    return np.concatenate(found)


_RUN: dict[str, Callable[[Path, NDArray[np.float32]], NDArray[Any]]] = {
    ".tflite": _run_tflite,
    ".onnx": _run_onnx,
}
