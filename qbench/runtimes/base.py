"""What replay sees of a runtime: integer batches in, integer batches out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from qbench.artifacts import RuntimeInfo, TensorSpec


class Runtime(ABC):
    """Executes one artefact on tensors of the artefact's own input dtype.

    Subclasses set `name` and `artifact`, and fill `input`, `output` and `info` in `__init__`.

    Args:
        bundle: folder of a bundle.
        threads: how many images may be computed side by side; never changes a result.

    Attributes:
        name: as typed after `--runtime`.
        artifact: the file of the bundle that it runs.
        input, output: the artefact's tensors, without the batch dimension.
        batch: how many inputs an `invoke` handles best.
    """

    name: ClassVar[str]
    artifact: ClassVar[str]
    input: TensorSpec
    output: TensorSpec
    info: RuntimeInfo
    batch: int = 64

    @abstractmethod
    def __init__(self, bundle: Path, *, threads: int = 1) -> None: ...

    @abstractmethod
    def invoke(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Outputs [n, *output.shape] in the output's dtype, for inputs [n, *input.shape] in the input's."""

    def close(self) -> None:  # noqa: B027 - most runtimes hold nothing to release
        """Release what the runtime holds."""
