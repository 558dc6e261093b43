"""What the pictures of all studies share: functions that draw on a matplotlib figure or axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qbench.artifacts import Proportion
from qbench.studies import find_analysis
from qbench.studies.content import StudyContent
from qbench.text import label as plot_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
_MARKERS = "osD^vPX*"
_HEAT = "cividis"
# On bright cells. Not black, which a page takes for the colour of its text: that is light in the dark.
_INK = "#222222"
_SETTINGS = {
    "svg.hashsalt": "qbench",
    "text.parse_math": False,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def study_drawing(content: StudyContent) -> Callable[[], Figure] | None:
    """What draws the picture of an analysis; None where a table says it all."""
    draw = find_analysis(content.result.analysis).draw
    return None if draw is None else partial(_drawn, draw, content)


def _drawn(draw: Callable[[Figure, StudyContent, Any], None], content: StudyContent) -> Figure:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        figure = Figure(layout="constrained")
        draw(figure, content, content.result)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as SVG, PDF or PNG by suffix; the same figure gives the same bytes."""
    import matplotlib as mpl

    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {"Software": None}}
    with mpl.rc_context(_SETTINGS):
        figure.savefig(path, metadata=dates[path.suffix], dpi=150)


def heat_map(
    axes: Axes,
    cells: dict[tuple[str, str], float],
    *,
    label: str,
    low: float,
    high: float,
    inputs: Mapping[tuple[str, str], int] | None = None,
) -> Any:
    """A matrix of numbers by row and column name, each written into its cell; missing ones stay white.

    Args:
        axes: to draw on.
        cells: the numbers.
        label: above the matrix.
        low: where the colours begin.
        high: where they end.
        inputs: how many each number rests on, written below it: one of one is not one of a thousand.

    Returns:
        The image, for a colour bar.
    """
    rows, columns = (list(dict.fromkeys(key[i] for key in cells)) for i in (0, 1))
    values = np.full((len(rows), len(columns)), np.nan)
    for (row, column), value in cells.items():
        values[rows.index(row), columns.index(column)] = value
    image = axes.imshow(values, cmap=_HEAT, vmin=low, vmax=high, aspect="auto")
    axes.set_xticks(
        range(len(columns)), map(plot_label, columns), rotation=45, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks(range(len(rows)), map(plot_label, rows))
    axes.spines[:].set_visible(False)
    for i, j in zip(*np.nonzero(~np.isnan(values)), strict=True):
        dark = values[i, j] < (low + high) / 2
        count = "" if inputs is None else f"\nof {inputs[rows[i], columns[j]]:,}"
        text = f"{values[i, j]:.3g}{count}"
        axes.text(j, i, text, ha="center", va="center", fontsize=7, color="white" if dark else _INK)
    axes.set_title(plot_label(label), fontsize=9)
    return image


def intervals(axes: Axes, names: Sequence[str], series: Mapping[str, Sequence[Proportion | None]]) -> None:
    """Shares in percent with their 95 % intervals: a place on the x axis a name, a colour a series."""
    for i, (label, shares) in enumerate(series.items()):
        known = [(j, share) for j, share in enumerate(shares) if share is not None and share.total]
        if not known:
            continue
        beside = 0.6 * (i + 0.5) / len(series) - 0.3
        value, low, high = (
            np.array([100 * getattr(share, of) for _, share in known]) for of in ("value", "low", "high")
        )
        axes.errorbar(
            [j + beside for j, _ in known],
            value,
            yerr=np.maximum((value - low, high - value), 0),
            color=COLOURS[i % len(COLOURS)],
            marker=_MARKERS[i % len(_MARKERS)],
            markersize=4,
            linestyle="none",
            capsize=2,
            label=plot_label(label),
        )
    axes.set_xticks(
        range(len(names)), map(plot_label, names), rotation=45, ha="right", rotation_mode="anchor"
    )
    axes.set_ylim(-2, 102)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False, fontsize=7)
