"""The published schema of `manifest.json`, the header of every artefact folder."""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import Field, JsonValue

from qbench.artifacts.base import Content, Record

SCHEMA_VERSION = 1


FolderKind = Literal["trained", "bundle", "advset", "replay", "report", "study"]


class FileRecord(Record):
    """A file of an artefact folder."""

    sha256: str
    bytes: int


class Environment(Record):
    """Where an artefact was made."""

    python: str
    packages: dict[str, str]
    machine: str
    cpu: str
    cpu_flags: tuple[str, ...]


class ReportContent(Content):
    """A report over replays."""

    replays: tuple[str, ...]


ContentT = TypeVar("ContentT", bound=Content)


class Manifest(Record, Generic[ContentT]):
    """The header of an artefact folder, written as `manifest.json`.

    Attributes:
        key: SHA-256 of kind, settings, inputs, seed and versions: equal keys mean the same work.
        inputs: by role, the hash of every artefact, file or data set that went in.
        versions: of the stage and the packages that computed it.
        files: every other file in the folder.
    """

    schema_version: int
    kind: FolderKind
    key: str
    settings: dict[str, JsonValue]
    inputs: dict[str, str]
    seed: int
    versions: dict[str, str] = Field(default_factory=dict)
    files: dict[str, FileRecord]
    environment: Environment
    content: ContentT

    @property
    def digest(self) -> str:
        """SHA-256 of all that the folder holds, wherever it was made: what a stage on top of it records."""
        text = self.model_dump_json(include={"key", "files", "content"})
        return hashlib.sha256(text.encode()).hexdigest()


# By kind of artefact, where the record of its content is; imported when one is read.
_CONTENTS: dict[FolderKind, str] = {
    "trained": "qbench.artifacts.networks:TrainedContent",
    "bundle": "qbench.artifacts.networks:BundleContent",
    "advset": "qbench.artifacts.advsets:AdvsetContent",
    "replay": "qbench.artifacts.replays:ReplayContent",
    "report": "qbench.artifacts.manifest:ReportContent",
    "study": "qbench.studies.content:StudyContent",
}


def manifest_of(kind: FolderKind) -> type[Manifest[Any]]:
    """The record of the header of that kind.

    Raises:
        KeyError: there is no such kind.
    """
    module, _, name = _CONTENTS[kind].partition(":")
    content: Any = getattr(import_module(module), name)
    return cast("type[Manifest[Any]]", Manifest.__class_getitem__(content))
