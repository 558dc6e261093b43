"""A picture of a study of shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qbench.studies.content import StudyContent
from qbench.studies.plots import COLOURS
from qbench.studies.shift.content import ShiftStudy
from qbench.studies.tables import attack_text
from qbench.text import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(figure: Figure, content: StudyContent, study: ShiftStudy) -> None:
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
        column[0].set(title=label(target), ylabel="relative norm, %\n(dotted: before quantization)")
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
    norms.plot(places, values("after"), color=colour, marker="o", markersize=3, label=label(name))
    shares.plot(places, values("changed"), color=colour, marker="o", markersize=3)
    shares.plot(places, values("vanished"), color=colour, linestyle="--", marker="x", markersize=4)
