"""A picture of a study of ensemble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qbench.studies.content import StudyContent
from qbench.studies.ensemble.content import EnsembleStudy
from qbench.studies.plots import intervals
from qbench.studies.tables import attack_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(figure: Figure, content: StudyContent, study: EnsembleStudy) -> None:
    """A place a set of inputs, a colour a decision."""
    names = []
    for row in study.rows:
        what = "clean" if row.at is None else f"{attack_text(row.at, content.data)} on {row.at.network}"
        names.append(f"{what}, adaptive" if row.adaptive else what)
    series = {
        "majority": [row.majority for row in study.rows],
        "averaged": [row.averaged for row in study.rows],
        f"{study.best_member} alone": [row.single for row in study.rows],
        "rejected": [row.rejected for row in study.rows],
        "wrong and accepted": [row.wrong_accepted for row in study.rows],
    }
    figure.set_size_inches(3 + 0.8 * len(names), 4.6)
    axes = figure.subplots()
    intervals(axes, names, series)
    axes.set(ylabel="inputs, %", title=f"Ensemble of {len(study.members)}")
