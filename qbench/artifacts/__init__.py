"""Artefact folders: self-describing, hashed, written beside and renamed, found again when finished."""

from qbench.artifacts.advsets import AdvsetContent, CountSummary, EpsResult, Finding, RuntimeInfo, Sizes
from qbench.artifacts.checking import sha256_of
from qbench.artifacts.figures import Estimate, PairedTest, Proportion
from qbench.artifacts.folder import Artifact, Draft, Recipe, begin, load, made_of_others, make
from qbench.artifacts.inputs import DataInfo, Domain, Preprocessing, TensorSpec
from qbench.artifacts.manifest import Manifest, ReportContent
from qbench.artifacts.networks import ArtifactInfo, BundleContent, Hardening, LowBit, TrainedContent
from qbench.artifacts.records import RecordFile
from qbench.artifacts.replays import (
    Detection,
    DeviceResults,
    Difference,
    Disagreement,
    EpsScores,
    LinkUse,
    ReplayContent,
    RuntimeScores,
)
from qbench.artifacts.tasks import TaskInfo

__all__ = [
    "AdvsetContent",
    "Artifact",
    "ArtifactInfo",
    "BundleContent",
    "CountSummary",
    "DataInfo",
    "Detection",
    "DeviceResults",
    "Difference",
    "Disagreement",
    "Domain",
    "Draft",
    "EpsResult",
    "EpsScores",
    "Estimate",
    "Finding",
    "Hardening",
    "LinkUse",
    "LowBit",
    "Manifest",
    "PairedTest",
    "Preprocessing",
    "Proportion",
    "Recipe",
    "RecordFile",
    "ReplayContent",
    "ReportContent",
    "RuntimeInfo",
    "RuntimeScores",
    "Sizes",
    "TaskInfo",
    "TensorSpec",
    "TrainedContent",
    "begin",
    "load",
    "made_of_others",
    "make",
    "sha256_of",
]
