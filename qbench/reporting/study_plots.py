"""Pictures of studies: functions that draw on a matplotlib figure or axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qbench.artifacts import Proportion, StudyContent
from qbench.artifacts.studies import (
    AlignmentStudy,
    DirectStudy,
    EnsembleStudy,
    ShiftStudy,
    TransferCell,
    TransferStudy,
)
from qbench.reporting.study_tables import attack_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
_MARKERS = "osD^vPX*"
_HEAT = "cividis"
# On bright cells. Not black, which a page takes for the colour of its text: that is light in the dark.
_INK = "#222222"
_SETTINGS = {"svg.hashsalt": "qbench", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}


def study_drawing(content: StudyContent) -> Callable[[], Figure] | None:
    """What draws the picture of an analysis; None where a table says it all."""
    drawn: dict[type[Any], Callable[[Figure, StudyContent, Any], None]] = {
        DirectStudy: _direct,
        TransferStudy: _transfer,
        AlignmentStudy: _alignment,
        ShiftStudy: _shift,
        EnsembleStudy: _ensemble,
    }
    draw = drawn.get(type(content.result))
    if draw is None:
        return None
    return partial(_drawn, draw, content)


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
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.spines[:].set_visible(False)
    for i, j in zip(*np.nonzero(~np.isnan(values)), strict=True):
        dark = values[i, j] < (low + high) / 2
        count = "" if inputs is None else f"\nof {inputs[rows[i], columns[j]]:,}"
        text = f"{values[i, j]:.3g}{count}"
        axes.text(j, i, text, ha="center", va="center", fontsize=7, color="white" if dark else _INK)
    axes.set_title(label, fontsize=9)
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
            label=label,
        )
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_ylim(-2, 102)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False, fontsize=7)


def _direct(figure: Figure, content: StudyContent, study: DirectStudy) -> None:
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


def _transfer(figure: Figure, content: StudyContent, study: TransferStudy) -> None:
    """A heat map an attack: of the inputs that fooled the attacked network, how many fool the target."""
    runtimes = {cell.runtime for cell in study.cells}
    by_attack: dict[str, dict[tuple[str, str], float]] = {}
    inputs: dict[str, dict[tuple[str, str], int]] = {}
    for cell in study.cells:
        if cell.transfer.value is not None:
            name = f"{attack_text(cell.at, content.data)} ({cell.at.surrogate})"
            key = (cell.at.network, _target(cell, alone=len(runtimes) == 1))
            by_attack.setdefault(name, {})[key] = 100 * cell.transfer.value
            inputs.setdefault(name, {})[key] = cell.transfer.total
    maps = max(1, len(by_attack))
    rows = len({cell.at.network for cell in study.cells})
    columns = len({(cell.target, cell.runtime) for cell in study.cells})
    figure.set_size_inches(3 + 0.5 * columns, maps * (1.8 + 0.35 * rows))
    for axes, (name, cells) in zip(
        figure.subplots(maps, squeeze=False)[:, 0], by_attack.items(), strict=False
    ):
        image = heat_map(axes, cells, label=name, low=0, high=100, inputs=inputs[name])
        axes.set(xlabel="target", ylabel="attacked")
        figure.colorbar(image, ax=axes, label="transfer, %")


def _target(cell: TransferCell, *, alone: bool) -> str:
    return cell.target if alone else f"{cell.target}, {cell.runtime}"


def _alignment(figure: Figure, content: StudyContent, study: AlignmentStudy) -> None:
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


def _shift(figure: Figure, content: StudyContent, study: ShiftStudy) -> None:
    """Layer by layer: the relative norm before and after; a column of two plots a target."""
    targets = list(dict.fromkeys(profile.target for profile in study.profiles))
    figure.set_size_inches(max(5.0, 4.5 * len(targets)), 5.6)
    grid = figure.subplots(2, len(targets), squeeze=False, sharex="col")
    for column, target in zip(grid.T, targets, strict=True):
        for i, profile in enumerate(each for each in study.profiles if each.target == target):
            name = f"{attack_text(profile.at, content.data)} on {profile.at.network}"
            layer_lines(column[0], column[1], profile, COLOURS[i % len(COLOURS)], name)
        labels = ["input" if layer.layer < 0 else str(layer.layer) for layer in profile.layers]
        column[1].set_xticks(range(len(labels)), labels)
        column[0].set(title=target, ylabel="relative norm, %\n(dotted: before quantization)")
        column[0].set_yscale("log")
        for formatted in (column[0].yaxis.set_major_formatter, column[0].yaxis.set_minor_formatter):
            formatted("{x:g}")
        column[1].set(xlabel="layer", ylabel="codes changed, %\n(dashed: elements vanished)", ylim=(-2, 102))
        for axes in column:
            axes.grid(axis="y", alpha=0.3)
    # Every target saw the same attacks, in the same order.
    labelled = grid[0, 0].get_legend_handles_labels()
    figure.legend(*labelled, loc="outside lower center", ncols=2, fontsize=6, frameon=False)


def layer_lines(norms: Axes, shares: Axes, profile: Any, colour: str, name: str) -> None:
    """One profile: above the relative norm before (dotted) and after, below changed and vanished (dashed)."""

    def values(of: str) -> list[float]:
        found = (getattr(layer, of).value for layer in profile.layers)
        return [float("nan") if value is None else 100 * value for value in found]

    places = range(len(profile.layers))
    norms.plot(places, values("before"), color=colour, linestyle=":", marker=".")
    norms.plot(places, values("after"), color=colour, marker="o", markersize=3, label=name)
    shares.plot(places, values("changed"), color=colour, marker="o", markersize=3)
    shares.plot(places, values("vanished"), color=colour, linestyle="--", marker="x", markersize=4)


def _ensemble(figure: Figure, content: StudyContent, study: EnsembleStudy) -> None:
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
