"""Stage report: replays into tables, pictures, JSON, and a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from qbench.artifacts import (
    AdvsetContent,
    Artifact,
    Draft,
    Recipe,
    ReplayContent,
    ReportContent,
    load,
    make,
)
from qbench.artifacts.checking import MANIFEST
from qbench.artifacts.manifest import manifest_of
from qbench.errors import UserError, unknown_name
from qbench.progress import Progress
from qbench.reporting import sections as parts
from qbench.reporting.document import document, json_schema, markdown
from qbench.reporting.page import page
from qbench.reporting.plots import FORMATS, Plot, robustness_curves
from qbench.reporting.sections import Replayed, Section
from qbench.stages.base import stage
from qbench.stages.report.options import ReportOptions
from qbench.studies.content import StudyContent
from qbench.studies.sections import study_sections


@stage(ReportOptions)
def report(replays: Sequence[str | Path], out: str | Path, options: ReportOptions) -> Artifact[ReportContent]:
    """Write what replays say as `report.md`, `report.json` with its schema, and a picture a replay.

    Args:
        replays: replay folders, in the order of the report.
        out: folder to write.
        options: see below.

    Raises:
        UserError: no replay is given, one is given twice, a folder is of another kind, a format is unknown,
            or replays are of different networks or data, or studies of other data, and that is not asked for.
    """
    found = _replays(replays, compare=options.compare)
    for each in options.figures:
        if each not in FORMATS:
            raise unknown_name("figure format", each, FORMATS)
    pictured = options.html or options.figures
    read = _with_advsets(found, options.advsets) if pictured else []
    sections = study_sections(_studies(options.studies, found[0], compare=options.compare))
    keys = [each.manifest.digest for each in found]
    recipe = Recipe(
        "report",
        settings={
            "html": options.html,
            "figures": list(options.figures),
            "examples": [each.advset is not None for each in read],
            **({"missing": list(options.missing)} if options.missing else {}),
        },
        inputs={
            **{f"replay-{i}": key for i, key in enumerate(keys)},
            **{each.anchor: each.source for each in sections},
        },
    )

    def write(draft: Draft) -> ReportContent:
        _write_tables(found, draft.path)
        whole = _sections(read, sections, options.missing)
        _write_figures(whole, draft.path / "figures", options.figures, options.progress)
        if options.html:
            text = page(f"Robustness of {_names(found)}", whole)
            (draft.path / "report.html").write_text(text, encoding="utf-8")
        return ReportContent(replays=tuple(keys))

    return make(out, recipe, write, force=options.force)


def _replays(paths: Sequence[str | Path], *, compare: bool) -> list[Artifact[ReplayContent]]:
    """The replays, if they may stand in one report."""
    if not paths:
        raise UserError("there is nothing to report", hint="name one or more replay folders")
    found: list[Artifact[ReplayContent]] = [load(Path(each), "replay") for each in paths]
    if len({each.manifest.digest for each in found}) < len(found):
        raise UserError("the same replay is given twice", hint="name every replay once")
    if compare:
        return found
    first = found[0]
    for each in found[1:]:
        for what, mine, theirs in (
            ("data", first.content.data, each.content.data),
            ("networks", first.manifest.inputs["bundle"], each.manifest.inputs["bundle"]),
        ):
            if mine != theirs:
                raise UserError(
                    f"the replays are of different {what}: {first.path} and {each.path}",
                    cause=f"{_what(first)}; {_what(each)}",
                    hint="report them apart, or with --compare to show them side by side on purpose",
                )
    return found


def _studies(
    paths: Sequence[str | Path], replay: Artifact[ReplayContent], *, compare: bool
) -> list[Artifact[StudyContent]]:
    """The studies, if they may stand beside the replays."""
    found: list[Artifact[StudyContent]] = [load(Path(each), "study") for each in paths]
    for each in found:
        ours, theirs = replay.content.data, each.content.data
        if ours.fingerprint != theirs.fingerprint and not compare:
            raise UserError(
                f"{each.path} is a study of other data than {replay.path} was taken on",
                cause=f"{theirs.name} ({theirs.fingerprint[:12]}); {ours.name} ({ours.fingerprint[:12]})",
                hint="report them apart, or with --compare to show them side by side on purpose",
            )
    return found


def _what(replay: Artifact[ReplayContent]) -> str:
    data, bundle = replay.content.data, replay.manifest.inputs["bundle"]
    return f"{replay.content.network} (bundle {bundle[:12]}) on {data.name} ({data.fingerprint[:12]})"


def _names(found: Sequence[Artifact[ReplayContent]]) -> str:
    return ", ".join(dict.fromkeys(each.content.network for each in found))


def _write_tables(found: Sequence[Artifact[ReplayContent]], folder: Path) -> None:
    """The report as Markdown and JSON, with one picture a replay."""
    written = document(found)
    plots = [robustness_curves(each.content, f"robustness-{i}") for i, each in enumerate(found)]
    pictures = [plot.write(folder, "svg").name for plot in plots]
    (folder / "report.md").write_text(markdown(written, pictures))
    (folder / "report.json").write_text(written.model_dump_json(indent=2) + "\n")
    (folder / "report.schema.json").write_text(json_schema())


def _write_figures(
    sections: Sequence[Section], folder: Path, formats: Sequence[str], progress: Progress
) -> None:
    """Every picture of the page, in every format."""
    pictures = [block for each in sections for block in each.blocks if isinstance(block, Plot)]
    if formats:
        folder.mkdir(exist_ok=True)
    with progress.task("drawing", len(pictures) * len(formats)) as advance:
        for suffix in formats:
            for picture in pictures:
                picture.write(folder, suffix)
                advance(1)


def _sections(read: Sequence[Replayed], more: Sequence[Section], missing: Sequence[str]) -> list[Section]:
    """All parts of the page, in its order."""
    if not read:
        return []
    found = (
        parts.verdict(read, missing),
        parts.robustness(read),
        parts.disagreement(read),
        *more,
        parts.examples(read),
    )
    devices = parts.devices(read)
    return [*found, *([devices] if devices else []), parts.provenance(read)]


def _with_advsets(found: Sequence[Artifact[ReplayContent]], named: Sequence[Path]) -> list[Replayed]:
    """Each replay with a title of its own, and the inputs that it ran if they are still there."""
    return [
        Replayed(title, each, _advset(each, named)) for title, each in zip(_titles(found), found, strict=True)
    ]


def _titles(found: Sequence[Artifact[ReplayContent]]) -> list[str]:
    """What tells the replays apart: attack, network, devices, then whatever else differs."""
    one_network = len({_what(each) for each in found}) == 1
    titles = []
    for each in found:
        title = f"{each.content.attack} ({each.content.norm}) on "
        title += each.content.network if one_network else _what(each)
        titles.append(", ".join([title, *(device.runtime for device in each.content.devices)]))
    counted = Counter(titles)
    return [f"{title}, replay {i}" if counted[title] > 1 else title for i, title in enumerate(titles, 1)]


def _advset(replay: Artifact[ReplayContent], named: Sequence[Path]) -> Artifact[AdvsetContent] | None:
    """The advset that was replayed, by its digest, among folders that are named or lie beside the replay."""
    for folder in (*named, *sorted(replay.path.resolve().parent.iterdir())):
        try:
            manifest = manifest_of("advset").model_validate_json((folder / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            continue
        if manifest.digest == replay.manifest.inputs["advset"]:
            return load(folder, "advset")
    return None
