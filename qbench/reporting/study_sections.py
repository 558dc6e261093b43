"""Studies as parts of a report's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from qbench.artifacts import Artifact, StudyContent
from qbench.artifacts.studies import ClaimsStudy, MaskingStudy
from qbench.reporting.plots import Plot
from qbench.reporting.sections import Block, Details, Points, Section
from qbench.reporting.study_plots import study_drawing
from qbench.reporting.study_tables import study_tables
from qbench.reporting.tables import missing_text

# By analysis: the title, and what it shows.
_SAID = {
    "direct": ("Direct attacks", "What each attack does to the network that it was made against."),
    "transfer": (
        "Transfer",
        "How often inputs made against one network also fool another, or another runtime of the same one; "
        "of inputs that both get right when clean.",
    ),
    "masking": (
        "Gradient masking",
        "Whether a network only hides its gradient: a masked network is weaker than gradient attacks say.",
    ),
    "alignment": (
        "Gradient alignment",
        "Where the input gradients of each pair of networks point: at a cosine near 0, a step that hurts one "
        "says nothing of the other.",
    ),
    "shift": (
        "Value shift by layer",
        "What quantizing activations does to a perturbation on its way through the network: codes changed, "
        "and its size beside the float one's.",
    ),
    "ensemble": (
        "Ensemble defense",
        "Networks of different widths voting, against transferred attacks and one that knows them all.",
    ),
    "claims": (
        "Claims of the study",
        "What Bernhard, Moellic and Dutertre (arXiv 1909.12741) claim, and what is found here.",
    ),
}


def study_sections(studies: Sequence[Artifact[StudyContent]]) -> list[Section]:
    """One section a study, the claims first; each is called after its folder, with a number if two are."""
    ordered = sorted(studies, key=lambda each: each.content.result.analysis != "claims")
    names = [each.path.resolve().name for each in ordered]
    times = Counter(names)
    unique = [f"{name}-{i}" if times[name] > 1 else name for i, name in enumerate(names, 1)]
    return [_section(each, name) for each, name in zip(ordered, unique, strict=True)]


def _section(study: Artifact[StudyContent], name: str) -> Section:
    """An analysis: what it is, its picture where there is one, its tables."""
    content, analysis = study.content, study.content.result.analysis
    title, said = _SAID[analysis]
    blocks: list[Block] = [said]
    if content.missing:
        blocks.append(missing_text(content.missing))
    draw = study_drawing(content)
    if draw is not None:
        blocks.append(Plot(f"study-{name}", said, draw))
    if sentences := _sentences(content):
        blocks.append(Points(sentences))
    blocks += [Details(table.title, (table,)) for table in study_tables(content)]
    return Section(
        anchor=f"study-{name}",
        title=title if name == analysis else f"{title}: {name}",
        blocks=tuple(blocks),
        source=study.manifest.digest,
    )


def _sentences(content: StudyContent) -> tuple[str, ...]:
    """What is better said than tabled."""
    result = content.result
    if isinstance(result, ClaimsStudy):
        return tuple(f"{each.statement} Here: {each.verdict}." for each in result.claims)
    if isinstance(result, MaskingStudy):
        return tuple(f"{each.network}: {each.explanation}" for each in result.verdicts)
    return ()
