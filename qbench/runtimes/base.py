"""What replay sees of a runtime: integer batches in, integer batches out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from qbench.artifacts import RuntimeInfo, TensorSpec


class Runtime(ABC):
    """Executes one artefact on tensors of the artefact's own input dtype.

    Args:
        path: the artefact's file.
        input, output: its tensors, as the bundle's manifest states them.
        threads: how many images may be computed side by side; never changes a result.

    Attributes:
        name: as typed after `--runtime`.
        artifact: the file of the bundle that it runs.
        batch: how many inputs an `invoke` handles best.
    """

    name: ClassVar[str]
    artifact: ClassVar[str]
    batch: int = 64

    def __init__(self, path: Path, input: TensorSpec, output: TensorSpec, *, threads: int = 1) -> None:  # noqa: A002
        self.path, self.input, self.output, self.threads = path, input, output, threads

    @property
    @abstractmethod
    def info(self) -> RuntimeInfo:
        """Package, version and kernels, as found on this machine."""

    @abstractmethod
    def invoke(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Outputs [n, *output.shape] in the output's dtype, for inputs [n, *input.shape] in the input's."""

    def close(self) -> None:  # noqa: B027 - most runtimes hold nothing to release
        """Release what the runtime holds."""
