"""Runtimes and devices as oracles: what an attack by queries asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import BundleContent, Preprocessing, TaskInfo
from qbench.errors import UserError
from qbench.inputs import InputPath, dequantize_tensor
from qbench.quant import Norm
from qbench.runtimes import Runtime, open_runtime
from qbench.runtimes.device import DeviceRuntime, open_devices
from qbench.surrogate.scoring import check_finite
from qbench.tasks import task_of

# Inputs that are rounded together; a device's window stays full from one chunk to the next.
_CHUNK = 256


class RuntimeOracle:
    """Answers for a runtime: rounds inputs to its grid, and returns dequantized outputs.

    Args:
        runtime: an opened one.
        preprocessing: from the data's domain to the network's own unit.
        task: what the network's outputs mean.

    Attributes:
        name: the runtime's.
        step: the width of its input's levels in the domain's unit; None if it takes float32.
    """

    def __init__(self, runtime: Runtime, preprocessing: Preprocessing, task: TaskInfo) -> None:
        self.name, self.runtime, self._task = runtime.name, runtime, task_of(task)
        self._path = InputPath.to(runtime.input, runtime.grid, preprocessing)
        self.step = self._path.grid.step if self._path.grid else None

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores [n, classes] float32 of inputs [n, *shape] in the domain.

        Raises:
            UserError: a score is NaN or infinite.
            LinkError: a device fails.
        """
        chunks = (self._path.feed(x[start : start + _CHUNK]) for start in range(0, len(x), _CHUNK))
        answers = np.concatenate([piece.outputs for piece in self.runtime.compute(chunks)])
        outputs = dequantize_tensor(answers, self.runtime.output).reshape(len(x), -1)
        scores = self._task.scores(outputs, lambda: dequantize_tensor(self._path.feed(x), self.runtime.input))
        check_finite(scores, self.name)
        return scores

    def as_replayed(
        self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm
    ) -> NDArray[np.float32]:
        """Inputs on the runtime's grid, and there inside the eps-ball around the clean inputs' codes."""
        return self._path.seen(x_adv, x, eps, norm)


@contextmanager
def open_oracle(
    bundle: Path,
    content: BundleContent,
    *,
    runtime: str | None,
    device: str | None,
    baud: int | None = None,
    threads: int = 1,
) -> Iterator[RuntimeOracle | None]:
    """The oracle that a user named, closed in the end; None if neither a runtime nor a device is named.

    Args:
        bundle: the bundle's folder.
        content: the bundle's header.
        runtime: a name of `qbench.runtimes.RUNTIMES`.
        device: a port, or `qemu:BOARD`, as of `qbench.runtimes.device.open_devices`.
        baud: of a serial line.
        threads: inputs that a runtime computes side by side.

    Raises:
        UserError: both are named, or the runtime is unknown.
        EnvironmentLacks: the runtime or the device is not there.
    """
    if runtime and device:
        raise UserError("an attack asks one oracle", hint="give --oracle or --device, not both")
    if device:
        with open_devices([device], bundle, content, baud) as (opened,):
            yield RuntimeOracle(opened, content.preprocessing, content.task)
    elif runtime:
        found = open_runtime(runtime, bundle, content, threads=threads)
        try:
            yield RuntimeOracle(found, content.preprocessing, content.task)
        finally:
            found.close()
    else:
        yield None


def described(oracle: RuntimeOracle) -> str:
    """What an attack's result depends on: not the port that a device happens to be at."""
    info = oracle.runtime.info
    parts = [info.name, info.package, info.version, info.kernels]
    if isinstance(oracle.runtime, DeviceRuntime):
        parts.append(oracle.runtime.device.model_sha256)
    return " ".join(parts)
