"""All pictures come from here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import ReplayContent, RuntimeScores
from qbench.reporting.cells import budget_phrase, budget_text
from qbench.text import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("svg", "pdf", "png")

# Okabe and Ito's palette, which people with any common colour blindness can tell apart. Black comes last: on
# a dark page it gives way to the colour of the text.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
_MARKERS = "osD^vPX*"
_SPREAD = 0.07
# Stands for the colour of the text around a picture; no palette has it.
_INK = "#010203"


@dataclass(frozen=True)
class Plot:
    """A picture that can be drawn into a page or a file, the same bytes every time.

    Attributes:
        name: of its files, and what sets its ids apart from those of other pictures in a page.
        caption: what it shows, for those who see it and for those who do not.
        draw: makes the figure, in the style of this module.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]

    def write(self, folder: Path, suffix: str) -> Path:
        """Write the figure for a paper: black on white, fonts within.

        Args:
            folder: to write in.
            suffix: one of `FORMATS`.
        """
        path = folder / f"{self.name}.{suffix}"
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
        with _style({"svg.fonttype": "path", "pdf.fonttype": 42}):
            self.draw().savefig(path, metadata=undated[suffix], dpi=150)
        return path

    def inline(self) -> str:
        """The `<svg>` element for a page: transparent, its text and lines in the page's colour."""
        ink = dict.fromkeys(
            ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK
        )
        stream = StringIO()
        with _style({"svg.fonttype": "none", **ink}):
            self.draw().savefig(stream, format="svg", transparent=True, metadata={"Date": None})
        svg = stream.getvalue()
        svg = svg[svg.index("<svg") :].replace(_INK, "currentColor").replace("#000000", "currentColor")
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
        svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{self.name}-", svg)
        labelled = f'role="img" aria-labelledby="{self.name}-caption" width='
        return re.sub(r' height="[\d.]+pt"', "", svg.strip(), count=1).replace("width=", labelled, 1)


@contextmanager
def _style(settings: dict[str, Any]) -> Iterator[None]:
    """The look of all figures, and ids that are the same every time."""
    import matplotlib as mpl

    common = {
        "svg.hashsalt": "qbench",
        "text.parse_math": False,
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context({**common, **settings}):
        yield


def _canvas(width: float, height: float, columns: int = 1) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure as Canvas

    figure = Canvas(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def robustness_curves(content: ReplayContent, name: str) -> Plot:
    """Accuracy against eps, a curve with its band of 95 % intervals for every runtime."""
    caption = (
        f"Accuracy under {content.attack} against the budget, with bands of Wilson 95 % intervals; runtimes "
        "with the same figures share a curve."
    )
    return _curves(content, name, _accuracy, ("accuracy under attack, %", (-2, 102)), caption)


def auc_curves(content: ReplayContent, name: str) -> Plot:
    """The area under the ROC curve against eps, likewise."""
    caption = (
        f"Area under the ROC curve under {content.attack} against the budget, with bands of DeLong's 95 % "
        "intervals; 0.5 is guessing, and runtimes with the same figures share a curve."
    )
    return _curves(content, name, _area, ("AUC under attack", (-0.02, 1.02)), caption)


def _curves(
    content: ReplayContent,
    name: str,
    bounds_of: Callable[[RuntimeScores], NDArray[np.float64]],
    axis: tuple[str, tuple[float, float]],
    caption: str,
) -> Plot:
    """A figure against eps of every runtime; `axis` is the label of its axis and what it shows."""

    def draw() -> Figure:
        figure, (axes,) = _canvas(7, 4.2)
        curves = _distinct(content, bounds_of)
        places = np.arange(len(content.eps) + 1)
        for i, (names, bounds) in enumerate(curves):
            # Curves often lie on each other: side by side they can still be told apart.
            _curve(
                axes, places + _SPREAD * (i - (len(curves) - 1) / 2), bounds, "\n".join(map(label, names)), i
            )
        budgets = (budget_text(eps, content.data, content.norm) for eps in content.eps)
        axes.set_xticks(places, ["clean", *budgets])
        axes.set(
            xlabel=f"perturbation budget eps ({content.norm})",
            ylabel=axis[0],
            ylim=axis[1],
        )
        axes.set_title(f"{label(content.attack)} on {label(content.network)}, {content.count:,} inputs")
        axes.grid(axis="y", alpha=0.3)
        axes.legend(title="runtime", frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return figure

    return Plot(name, caption, draw)


def _distinct(
    content: ReplayContent, bounds_of: Callable[[RuntimeScores], NDArray[np.float64]]
) -> list[tuple[list[str], NDArray[np.float64]]]:
    """Runtimes by their curve: [value, low, high], each [budgets + 1]."""
    found: dict[bytes, tuple[list[str], NDArray[np.float64]]] = {}
    for each in content.scores:
        bounds = bounds_of(each)
        found.setdefault(bounds.tobytes(), ([], bounds))[0].append(each.runtime.name)
    return list(found.values())


def _accuracy(scores: RuntimeScores) -> NDArray[np.float64]:
    """In percent."""
    shares = [scores.clean_accuracy, *(at.robust_accuracy for at in scores.by_eps)]
    return np.array(
        [[100 * (getattr(each, end) or 0) for each in shares] for end in ("value", "low", "high")]
    )


def _area(scores: RuntimeScores) -> NDArray[np.float64]:
    detections = (scores.detection, *(at.detection for at in scores.by_eps))
    areas = [each.auc for each in detections if each]
    return np.array([[getattr(each, end) or 0 for each in areas] for end in ("value", "low", "high")])


def _curve(axes: Axes, x: NDArray[Any], bounds: NDArray[np.float64], name: str, number: int) -> None:
    value, low, high = bounds
    colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(x, value, color=colour, marker=marker, markersize=5, linewidth=1.2, label=name)


def disagreement_matrix(content: ReplayContent, name: str) -> Plot:
    """Inputs with different labels, runtime by runtime: clean, and at the budget where most differ."""
    names = [each.runtime.name for each in content.scores]
    sets = [list(found) for _, found in groupby(sorted(content.disagreements, key=_order), key=_order)]
    worst = max(sets[1:], key=lambda found: sum(each.labels.count for each in found), default=sets[0])
    shown = [sets[0]] if worst is sets[0] else [sets[0], worst]
    top = max(1.0, *(100 * (each.labels.value or 0) for found in shown for each in found))

    def draw() -> Figure:
        figure, panels = _canvas(
            1.2 + len(shown) * (1.2 + 0.52 * len(names)), 1.6 + 0.52 * len(names), len(shown)
        )
        for panel, found in zip(panels, shown, strict=True):
            matrix = np.zeros((len(names), len(names)))
            for each in found:
                i, j = names.index(each.first), names.index(each.second)
                matrix[i, j] = matrix[j, i] = 100 * (each.labels.value or 0)
            _heat_map(panel, matrix, names, top)
            eps = found[0].eps
            where = "clean" if eps is None else f"at {budget_phrase(eps, content.data, content.norm)}"
            panel.set_title(where)
        for panel in panels[1:]:
            panel.set_yticklabels([])
        return figure

    caption = (
        f"Share of the {content.count:,} inputs, in percent, to which two runtimes give different labels: "
        "clean, and at the budget where most differ."
    )
    return Plot(name, caption, draw)


def _order(pair: Any) -> float:
    return -1.0 if pair.eps is None else float(pair.eps)


def _heat_map(axes: Axes, matrix: NDArray[np.float64], names: list[str], top: float) -> None:
    """A matrix of percentages, row and column by name, the darker the nearer to `top`, with its figures."""
    places = np.arange(len(names))
    axes.pcolormesh(matrix, cmap="Blues", vmin=0, vmax=top, edgecolors="white", linewidth=1)
    for i in places:
        for j in places:
            colour = "white" if matrix[i, j] > 0.6 * top else "#222222"
            text = "" if i == j else f"{matrix[i, j]:.1f}"
            axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(places + 0.5, map(label, names), rotation=45, ha="right")
    axes.set_yticks(places + 0.5, map(label, names))
    axes.tick_params(length=0)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
