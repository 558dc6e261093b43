"""A picture of a study of alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qbench.studies.alignment.content import AlignmentStudy
from qbench.studies.content import StudyContent
from qbench.studies.plots import COLOURS, heat_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(figure: Figure, content: StudyContent, study: AlignmentStudy) -> None:
    """The mean cosine of every pair, and how cosines are spread."""
    del content
    names = list(study.surrogates)
    cells = {(name, name): 1.0 for name in names}
    for pair in study.pairs:
        if pair.cosine.mean.value is not None:
            cells[pair.first, pair.second] = cells[pair.second, pair.first] = pair.cosine.mean.value
    size = 3 + 0.5 * len(names)
    figure.set_size_inches(size + 4.5, max(size, 3.6))
    left, right = figure.subplots(1, 2, width_ratios=(size, 4.5))
    ordered = {(a, b): cells[a, b] for a in names for b in names if (a, b) in cells}
    figure.colorbar(heat_map(left, ordered, label="mean cosine", low=-1, high=1), ax=left)
    spread(right, study)


def spread(axes: Axes, study: AlignmentStudy) -> None:
    """The distribution of the cosine: every pair in grey, all pairs together in colour."""
    total = np.zeros(0)
    for pair in study.pairs:
        counts = np.array(pair.cosine.histogram, float)
        edges = np.linspace(pair.cosine.low, pair.cosine.high, len(counts) + 1)
        if counts.sum():
            axes.stairs(100 * counts / counts.sum(), edges, color="0.75", linewidth=0.7)
            total = counts + (total if len(total) else 0)
    if total.sum():
        axes.stairs(100 * total / total.sum(), edges, color=COLOURS[0], linewidth=1.8, label="all pairs")
        axes.legend(frameon=False, fontsize=7)
    axes.set(xlabel="cosine of the input gradients", ylabel="inputs, %", xlim=(-1, 1))
    axes.set_xticks((-1, -0.5, 0, 0.5, 1))
