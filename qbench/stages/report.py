"""Stage report: replays into tables, a picture, and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qbench.artifacts import Artifact, Recipe, ReportContent, begin, load
from qbench.errors import UserError
from qbench.progress import SILENT, Progress
from qbench.reporting.document import document, json_schema, markdown
from qbench.reporting.plots import robustness_curves


def report(
    replays: Sequence[str | Path],
    out: str | Path,
    *,
    force: bool = False,
    progress: Progress = SILENT,
) -> Artifact[ReportContent]:
    """Write what replays say as `report.md`, `report.json` with its schema, and a picture a replay.

    Args:
        replays: replay folders, in the order of the report.
        out: folder to write.
        force: replace what `out` holds.
        progress: hears of every replay.

    Raises:
        UserError: no replay is given, one is given twice, or a folder is not a replay.
    """
    if not replays:
        raise UserError("there is nothing to report", hint="name one or more replay folders")
    found = [load(Path(each), "replay") for each in replays]
    keys = [each.manifest.digest for each in found]
    if len(set(keys)) < len(keys):
        raise UserError("the same replay is given twice", hint="name every replay once")
    recipe = Recipe("report", settings={}, inputs={f"replay-{i}": key for i, key in enumerate(keys)})
    started = begin(Path(out), recipe, force=force)
    if isinstance(started, Artifact):
        return started
    with started as draft, progress.task("drawing", len(found)) as advance:
        written = document(found)
        pictures = [f"robustness-{i}.svg" for i in range(len(found))]
        for each, picture in zip(found, pictures, strict=True):
            robustness_curves(each.content, draft.path / picture)
            advance(1)
        (draft.path / "report.md").write_text(markdown(written, pictures))
        (draft.path / "report.json").write_text(written.model_dump_json(indent=2) + "\n")
        (draft.path / "report.schema.json").write_text(json_schema())
        return draft.commit(ReportContent(replays=tuple(keys)))
