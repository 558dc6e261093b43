"""What computes an artefact: its stage's revision, and the packages whose versions can change its bytes."""

from __future__ import annotations

from importlib import metadata

from qbench.artifacts.manifest import FolderKind

# Raised with every change of a stage that can change its results.
_REVISIONS: dict[FolderKind, int] = {
    "trained": 1,
    "bundle": 1,
    "advset": 2,
    "replay": 1,
    "report": 1,
    "study": 1,
}

_TENSORFLOW = ("tensorflow", "tensorflow-cpu")
_TRAINING = ("numpy", "keras", *_TENSORFLOW)
# A replay's runtimes are among its settings, with their versions and kernels.
_PACKAGES: dict[FolderKind, tuple[str, ...]] = {
    "trained": _TRAINING,
    "bundle": (*_TRAINING, "onnx", "tf2onnx", "onnxruntime", "ai-edge-litert"),
    "advset": ("numpy", "scipy", *_TENSORFLOW),
    "replay": ("numpy", *_TENSORFLOW),
    "report": ("matplotlib",),
    "study": ("numpy", "scipy", "matplotlib", *_TENSORFLOW),
}


def package_version(name: str) -> str | None:
    """Installed version of a distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def versions_of(kind: FolderKind) -> dict[str, str]:
    """What an artefact of that kind would be computed by here."""
    packages = {name: found for name in _PACKAGES[kind] if (found := package_version(name))}
    return {f"the stage {kind}": f"revision {_REVISIONS[kind]}", **packages}
