"""The parts of a report's page: what each says, in words, pictures and tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from qbench.artifacts import AdvsetContent, Artifact, Disagreement, ReplayContent
from qbench.reporting.cells import Table, missing_text
from qbench.reporting.gallery import Gallery, gallery
from qbench.reporting.plots import Plot, auc_curves, disagreement_matrix, robustness_curves
from qbench.reporting.summary import sentences, weakest_table
from qbench.reporting.tables import (
    advset_tables,
    device_tables,
    disagreement_table,
    robustness_matrix,
    robustness_table,
    rounding_table,
)
from qbench.reporting.task_tables import task_tables


@dataclass(frozen=True)
class Heading:
    """What the blocks after it are about."""

    text: str


@dataclass(frozen=True)
class Details:
    """Blocks that are folded away until a reader asks for them."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Points:
    """A list of sentences, the first of which matters most."""

    sentences: tuple[str, ...]


Block = str | Heading | Points | Details | Plot | Table | Gallery


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        anchor: its id in the page, and what its link points to.
        title: its heading.
        blocks: what it shows, in order; a string is a paragraph.
        source: digest of the artefact that it was made from, if that is none of the replays.
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    source: str = ""


@dataclass(frozen=True)
class Replayed:
    """A replay with the inputs that it ran.

    Attributes:
        title: what the page calls it.
        advset: None if it was not found.
    """

    title: str
    replay: Artifact[ReplayContent]
    advset: Artifact[AdvsetContent] | None

    @property
    def content(self) -> ReplayContent:
        """What the replay found."""
        return self.replay.content


def verdict(found: Sequence[Replayed], missing: Sequence[str] = ()) -> Section:
    """What every replay says, before anything else."""
    blocks: list[Block] = [
        "In brackets: 95 % intervals. Accuracy counts all inputs, and a figure holds for the runtime that is "
        "named with it."
    ]
    if missing:
        blocks.append(missing_text(missing))
    for each in found:
        blocks += [Heading(each.title), Points(sentences(each.content)), weakest_table(each.content)]
    return Section("verdict", "Verdict", tuple(blocks))


def robustness(found: Sequence[Replayed]) -> Section:
    """Curves and figures of every runtime."""
    blocks: list[Block] = []
    for i, each in enumerate(found):
        curves = robustness_curves(each.content, f"robustness-{i}")
        figures = (robustness_table(each.content), rounding_table(each.content))
        more = Details("Attack success, transfer and rounding", figures)
        blocks += [Heading(each.title), curves, robustness_matrix(each.content)]
        if each.content.task.kind == "anomaly":
            blocks.append(auc_curves(each.content, f"auc-{i}"))
        blocks += [*task_tables(each.content), more]
    return Section("robustness", "Robustness against eps", tuple(blocks))


def disagreement(found: Sequence[Replayed]) -> Section:
    """Where runtimes give different answers to the same inputs."""
    pairs = [pair for each in found for pair in each.content.disagreements]
    blocks: list[Block] = [_difference(pairs)]
    for i, each in enumerate(found):
        if each.content.disagreements:
            matrix = disagreement_matrix(each.content, f"disagreement-{i}")
            counts = Details("Counts, pair by pair", (disagreement_table(each.content),))
            blocks += [Heading(each.title), matrix, counts]
    if not pairs:
        blocks = ["Each replay ran one runtime: there is none to disagree with."]
    return Section("disagreement", "Disagreement between runtimes", tuple(blocks))


def _difference(pairs: Sequence[Disagreement]) -> str:
    """What the matrices come to."""
    if any(pair.labels.count for pair in pairs):
        return "Under other kernels the same file is another function: here, on how many inputs."
    if any(pair.vectors.count for pair in pairs if pair.vectors):
        return (
            "Runtimes give the same labels to all of these inputs, though not always the same output codes."
        )
    return (
        "Runtimes give the same labels to all of these inputs, and the same output codes where they have any."
    )


def examples(found: Sequence[Replayed]) -> Section:
    """Inputs, what was done to them, and what every runtime called them."""
    blocks: list[Block] = []
    shown: set[str] = set()
    for each in found:
        wanted = each.replay.manifest.inputs["advset"]
        if each.advset is None:
            blocks.append(
                f"{each.title}: the adversarial inputs (advset {wanted[:12]}) were not found beside the "
                "replay; name their folder with --advset to see them here."
            )
            continue
        if wanted not in shown:
            strength = Details(
                "What the attack did to its surrogate", tuple(advset_tables(each.advset.content))
            )
            shown.add(wanted)
            blocks += [Heading(each.title), strength]
        else:
            blocks.append(Heading(each.title))
        blocks.append(gallery(each.replay, each.advset))
    return Section("examples", "Examples", tuple(blocks))


def devices(found: Sequence[Replayed]) -> Section | None:
    """What devices cost and hold, and how their line was used; None without any."""
    blocks: list[Block] = []
    for each in found:
        if each.content.devices:
            blocks += [Heading(each.title), _boards(each.content), *device_tables(each.content)]
    return Section("devices", "Devices", tuple(blocks)) if blocks else None


def _boards(content: ReplayContent) -> Table:
    rows = tuple(
        (each.runtime, each.board, each.core, f"{each.clock_hz / 1e6:g} MHz" if each.clock_hz else "none")
        for each in content.devices
    )
    return Table("Devices: what answered", ("device", "board", "core", "clock"), rows, keys=4)


def provenance(found: Sequence[Replayed]) -> Section:
    """All that is needed to make these results again."""
    blocks: list[Block] = []
    for each in found:
        packages = Details("Packages", (_packages(each),))
        blocks += [Heading(each.title), _origin(each), _runtimes(each.content), packages]
    return Section("provenance", "Provenance", tuple(blocks))


def _origin(each: Replayed) -> Table:
    manifest, content, where = each.replay.manifest, each.content, each.replay.manifest.environment
    rows = [
        ("replay", manifest.key),
        *((f"{role}, by its digest", digest) for role, digest in manifest.inputs.items()),
        ("data", f"{content.data.name}, {content.data.fingerprint}"),
        ("inputs", f"{content.count:,}, of shape {' x '.join(map(str, content.data.input_shape))}"),
        (
            "domain",
            f"{content.data.domain.name}, {content.data.domain.low:g} to {content.data.domain.high:g}",
        ),
        ("grid of the attack", content.grid),
        ("surrogate", content.surrogate),
        ("seed of the replay", f"{manifest.seed}"),
    ]
    if each.advset is not None:
        rows.append(("seed of the attack", f"{each.advset.manifest.seed}"))
        rows += [
            (f"attack, {name}", json.dumps(value)) for name, value in each.advset.manifest.settings.items()
        ]
    rows += [("machine", where.machine), ("processor", where.cpu), ("its flags", " ".join(where.cpu_flags))]
    rows.append(("Python", where.python))
    return Table("Where it comes from", ("what", "value"), tuple(rows), keys=2)


def _runtimes(content: ReplayContent) -> Table:
    rows = tuple(
        (each.name, each.artifact, f"{each.package} {each.version}", each.kernels, f"{each.threads}")
        for each in (scores.runtime for scores in content.scores)
    )
    return Table("Runtimes", ("runtime", "artefact", "package", "kernels", "threads"), rows, keys=4)


def _packages(each: Replayed) -> Table:
    rows = tuple(each.replay.manifest.environment.packages.items())
    return Table("Packages", ("package", "version"), rows, keys=2)
