"""What replay sees of a runtime: integer batches in, integer batches out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import RuntimeInfo, TensorSpec
from qbench.artifacts.versions import package_version
from qbench.errors import EnvironmentLacks, UserError
from qbench.places import pip_install
from qbench.quant import Quantization


@dataclass(frozen=True)
class Computed:
    """Some outputs, in the order of their inputs.

    Attributes:
        outputs: [n, *shape] in the output's dtype.
        counts: [n], what each inference cost in the runtime's `counter`; None if it does not count.
    """

    outputs: NDArray[Any]
    counts: NDArray[np.uint64] | None = None


class Runtime(ABC):
    """Executes one artefact on tensors of the artefact's own input dtype.

    Args:
        path: the artefact's file.
        input, output: its tensors, as the bundle's manifest states them.
        threads: how many images may be computed side by side; never changes a result.

    Attributes:
        name: as typed after `--runtime`.
        artifact: the file of the bundle that it runs.
        packages: distributions that provide it, the best first; one of them is enough.
        install: what to type where none is installed.
        row_by_row: whether it answers input by input, so that a replay may go on behind any of them.
    """

    name: str
    artifact: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    install: ClassVar[str] = pip_install()
    row_by_row: ClassVar[bool] = False

    def __init__(self, path: Path, input: TensorSpec, output: TensorSpec, *, threads: int = 1) -> None:  # noqa: A002
        self.path, self.input, self.output, self.threads = path, input, output, threads

    @classmethod
    def package(cls) -> tuple[str, str]:
        """The installed distribution that provides the runtime, and its version.

        Raises:
            EnvironmentLacks: none is installed.
        """
        for name in cls.packages:
            if version := package_version(name):
                return name, version
        raise EnvironmentLacks(
            f"the runtime {cls.name!r} needs the package {' or '.join(cls.packages)}", hint=cls.install
        )

    @classmethod
    def basis(cls) -> str:
        """What its results depend on here, as known before a model is opened."""
        return " ".join(cls.package())

    @classmethod
    def usual(cls) -> bool:
        """Whether a replay that names no runtime takes it, where it is installed."""
        return True

    @property
    @abstractmethod
    def kernels(self) -> str:
        """Which implementation of the operators computes, as found in the opened model."""

    @property
    def info(self) -> RuntimeInfo:
        """Package, version and kernels, as found on this machine."""
        package, version = self.package()
        return RuntimeInfo(
            name=self.name,
            artifact=self.artifact,
            package=package,
            version=version,
            kernels=self.kernels,
            threads=self.threads,
        )

    @property
    def grid(self) -> Quantization | None:
        """The integer grid that inputs are rounded to, here or inside the artefact; None if there is none."""
        return self.input.quantization

    @property
    def counter(self) -> str | None:
        """The unit of what each inference is counted in; None if the runtime does not count."""
        return None

    @abstractmethod
    def invoke(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Outputs [n, *output.shape] in the output's dtype, for inputs [n, *input.shape] in the input's.

        Raises:
            UserError: the inputs have another shape or dtype.
        """

    def compute(self, batches: Iterable[NDArray[Any]]) -> Iterator[Computed]:
        """Outputs of batches, taken lazily, in pieces that come as soon as they are there.

        Raises:
            UserError: the inputs have another shape or dtype.
        """
        for batch in batches:
            yield Computed(self.invoke(batch))

    def close(self) -> None:  # noqa: B027 - most runtimes hold nothing to release
        """Release what the runtime holds."""

    def check_input(self, batch: NDArray[Any]) -> None:
        """Refuse inputs that are not the artefact's."""
        if batch.shape[1:] != self.input.shape or batch.dtype != self.input.dtype:
            raise UserError(
                f"{self.path.name} takes inputs of shape {self.input.shape} and type {self.input.dtype}, "
                f"not {batch.shape[1:]} and {batch.dtype}",
                hint="use data of the shape that the network was exported for",
            )

    def check_tensor(self, role: str, found: TensorSpec) -> None:
        """Refuse a file whose tensor is not the one that the bundle's manifest states; names may differ."""
        stated = self.input if role == "input" else self.output
        for what in ("shape", "dtype", "scale", "zero_point"):
            ours, theirs = getattr(stated, what), getattr(found, what)
            if ours != theirs:
                plain = what.replace("_", " ").replace("dtype", "type")
                raise UserError(
                    f"{self.path.name} has an {role} of {plain} {theirs}, where {plain} {ours} was stated",
                    cause="the manifest and the file are not of the same network",
                    hint="export the bundle again, from data of the network's own shape",
                )

    def rejection(self, error: Exception) -> EnvironmentLacks:
        """The error for a model that is sound, but that the installed package cannot run."""
        package, version = self.package()
        return EnvironmentLacks(
            f"{package} {version} cannot run {self.path.name}",
            cause=" ".join(str(error).split()),
            hint="where it rejects a per-channel FULLY_CONNECTED, export with --per-tensor-dense; "
            "otherwise try a newer package or another runtime",
        )

    def unreadable(self, format_name: str, error: Exception) -> UserError:
        """The error for a file that is damaged or of another format."""
        return UserError(
            f"{self.path} is not a readable {format_name} model",
            cause=" ".join(str(error).split()),
            hint="check that the file is whole: a truncated copy or another format looks like this",
        )
