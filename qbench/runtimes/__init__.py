"""Runtimes: what executes an artefact, by the name that is typed after `--runtime`.

Another package adds its own, a subclass of `Runtime`, as an entry point of the group `qbench.runtimes`.
"""

from __future__ import annotations

from pathlib import Path

from qbench.artifacts import BundleContent
from qbench.errors import EnvironmentLacks, UserError
from qbench.registry import Registry
from qbench.runtimes.base import Runtime

# The runtime whose outputs others are held against: the reference kernels of TFLite.
REFERENCE = "tflite-ref"

__all__ = ["REFERENCE", "RUNTIMES", "Runtime", "available", "executing", "open_runtime", "runtime_class"]

RUNTIMES: Registry[type[Runtime]] = Registry(
    "runtime",
    "qbench.runtimes",
    {
        "tflite": "qbench.runtimes.tflite:TfliteRuntime",
        "tflite-ref": "qbench.runtimes.tflite:TfliteReferenceRuntime",
        "tflite-builtin": "qbench.runtimes.tflite:TfliteBuiltinRuntime",
        "tflite-runtime": "qbench.runtimes.tflite:TfliteFieldRuntime",
        "tflm": "qbench.runtimes.tflm:TflmRuntime",
        "host": "qbench.runtimes.host:HostRuntime",
        "onnx": "qbench.runtimes.onnx:OnnxRuntime",
        "onnx-exact": "qbench.runtimes.onnx:ExactOnnxRuntime",
        "float": "qbench.runtimes.float:FloatRuntime",
    },
)


def runtime_class(name: str) -> type[Runtime]:
    """The class of a runtime, its package not yet imported.

    Raises:
        UserError: no runtime has that name.
    """
    return RUNTIMES.load(name)


def available() -> dict[str, str | None]:
    """By name, None for a runtime that this machine has, or what it lacks and how to get it."""
    return {name: _lacks(runtime_class(name)) for name in RUNTIMES}


def runtimes_for(content: BundleContent) -> list[str]:
    """The runtimes of this machine that a bundle has the artefact of, and that say something of their own."""
    here = [runtime_class(name) for name, lacks in available().items() if lacks is None]
    return [each.name for each in here if each.artifact in content.artifacts and each.usual()]


def _lacks(runtime: type[Runtime]) -> str | None:
    try:
        runtime.package()
    except EnvironmentLacks as error:
        return f"{error.what}: {error.hint}"
    return None


def open_runtime(name: str, bundle: Path, content: BundleContent, *, threads: int = 1) -> Runtime:
    """Open a bundle's artefact with a runtime.

    Args:
        name: a name of `RUNTIMES`.
        bundle: the bundle's folder.
        content: the bundle's header.
        threads: how many images may be computed side by side; never changes a result.

    Raises:
        UserError: no such runtime, the bundle lacks its artefact, or the artefact is damaged.
        EnvironmentLacks: its package is not installed, or cannot run this artefact.
    """
    runtime = runtime_class(name)
    artifact = content.artifacts.get(runtime.artifact)
    if artifact is None:
        raise UserError(
            f"{bundle} has no {runtime.artifact}, which the runtime {name!r} executes",
            cause="it is surrogate-only: its real weights or activations run on no integer runtime"
            if content.surrogate_only
            else None,
            hint=f"it has {', '.join(sorted(content.artifacts))}",
        )
    return runtime(bundle / runtime.artifact, artifact.input, artifact.output, threads=threads)
