"""A picture of a study of direct."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qbench.artifacts.figures import Proportion
from qbench.studies.content import StudyContent
from qbench.studies.direct.content import DirectStudy
from qbench.studies.plots import intervals
from qbench.studies.tables import attack_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(figure: Figure, content: StudyContent, study: DirectStudy) -> None:
    """Adversarial accuracy in the paper's protocol: a place a network, a colour an attack."""
    names = [network.name for network in content.networks]
    series: dict[str, list[Proportion | None]] = {}
    for row in study.rows:
        if row.protocol == "paper":
            label = f"{attack_text(row.at, content.data)} ({row.at.surrogate})"
            series.setdefault(label, [None] * len(names))[names.index(row.at.network)] = row.accuracy
    figure.set_size_inches(3 + 0.6 * len(names), 4.2)
    axes = figure.subplots()
    intervals(axes, names, series)
    axes.set(ylabel="adversarial accuracy, %", title="Direct attacks")
