"""Artefact folders: self-describing, hashed, written beside and renamed, found again instead of recomputed."""

from qbench.artifacts.folder import Artifact, Draft, Recipe, begin, load, sha256_of
from qbench.artifacts.records import RecordFile
from qbench.artifacts.schema import (
    AdvsetContent,
    ArtifactInfo,
    BundleContent,
    DataInfo,
    Domain,
    EpsResult,
    Manifest,
    Preprocessing,
    ReplayContent,
    ReportContent,
    RuntimeInfo,
    TensorSpec,
    TrainedContent,
)

__all__ = [
    "AdvsetContent",
    "Artifact",
    "ArtifactInfo",
    "BundleContent",
    "DataInfo",
    "Domain",
    "Draft",
    "EpsResult",
    "Manifest",
    "Preprocessing",
    "Recipe",
    "RecordFile",
    "ReplayContent",
    "ReportContent",
    "RuntimeInfo",
    "TensorSpec",
    "TrainedContent",
    "begin",
    "load",
    "sha256_of",
]
