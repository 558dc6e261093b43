"""The report as data: what `report.json` holds, and its published schema."""

from __future__ import annotations

import json
from collections.abc import Sequence

from qbench.artifacts import Artifact, ReplayContent
from qbench.artifacts.base import Record
from qbench.artifacts.manifest import SCHEMA_VERSION, Environment
from qbench.reporting.tables import replay_tables
from qbench.text import markdown as escaped


class ReplaySection(Record):
    """One replay: its key, where it ran, and its results."""

    key: str
    environment: Environment
    results: ReplayContent


class ReportDocument(Record):
    """All that a report says, for machines."""

    schema_version: int
    replays: tuple[ReplaySection, ...]


def document(replays: Sequence[Artifact[ReplayContent]]) -> ReportDocument:
    """Gather replays into one document."""
    return ReportDocument(
        schema_version=SCHEMA_VERSION,
        replays=tuple(
            ReplaySection(key=each.manifest.key, environment=each.manifest.environment, results=each.content)
            for each in replays
        ),
    )


def json_schema() -> str:
    """The JSON schema of `report.json`, as published in docs/."""
    return json.dumps(ReportDocument.model_json_schema(), indent=2, sort_keys=True) + "\n"


def markdown(report: ReportDocument, pictures: Sequence[str]) -> str:
    """The report for people, with one picture a replay."""
    parts = ["# Robustness report", ""]
    for section, picture in zip(report.replays, pictures, strict=True):
        results = section.results
        parts += [f"## {escaped(f'{results.network}: {results.attack}, {results.norm}')}", ""]
        parts += [f"![Robust accuracy against eps, by runtime]({picture})", ""]
        parts += [table.markdown() for table in replay_tables(results)]
        parts += _provenance(section)
    return "\n".join(parts)


def _provenance(section: ReplaySection) -> list[str]:
    where = section.environment
    lines = [f"replay {section.key[:16]}, {where.cpu}, {where.machine}"]
    lines += [
        f"runtime {each.runtime.name}: {each.runtime.package} {each.runtime.version}, "
        f"{each.runtime.kernels} kernels, on {each.runtime.artifact}"
        for each in section.results.scores
    ]
    return ["### Provenance", "", *(f"- {escaped(line)}" for line in lines), ""]
