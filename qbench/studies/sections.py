"""Studies as parts of a report's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from qbench.artifacts import Artifact
from qbench.reporting.cells import missing_text
from qbench.reporting.plots import Plot
from qbench.reporting.sections import Block, Details, Points, Section
from qbench.studies import find_analysis
from qbench.studies.content import StudyContent
from qbench.studies.plots import study_drawing


def study_sections(studies: Sequence[Artifact[StudyContent]]) -> list[Section]:
    """One section a study, the claims first; each is called after its folder, with a number if two are."""
    ordered = sorted(studies, key=lambda each: each.content.result.analysis != "claims")
    names = [each.path.resolve().name for each in ordered]
    times = Counter(names)
    unique = [f"{name}-{i}" if times[name] > 1 else name for i, name in enumerate(names, 1)]
    return [_section(each, name) for each, name in zip(ordered, unique, strict=True)]


def _section(study: Artifact[StudyContent], name: str) -> Section:
    """An analysis: what it is, its picture where there is one, its tables."""
    content = study.content
    analysis = find_analysis(content.result.analysis)
    blocks: list[Block] = [analysis.summary]
    if content.missing:
        blocks.append(missing_text(content.missing))
    draw = study_drawing(content)
    if draw is not None:
        blocks.append(Plot(f"study-{name}", analysis.summary, draw))
    if sentences := analysis.sentences(content):
        blocks.append(Points(sentences))
    blocks += [Details(table.title, (table,)) for table in analysis.tables(content)]
    return Section(
        anchor=f"study-{name}",
        title=analysis.title if name == analysis.name else f"{analysis.title}: {name}",
        blocks=tuple(blocks),
        source=study.manifest.digest,
    )
