"""All pictures come from here."""

from __future__ import annotations

from pathlib import Path

from qbench.artifacts import ReplayContent
from qbench.reporting.tables import eps_text

# Okabe and Ito's palette, which people with any common colour blindness can tell apart.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
_MARKERS = "osD^vPX*"


def robustness_curves(content: ReplayContent, path: Path) -> None:
    """Robust accuracy against eps, a line and a 95 % band a runtime, written as SVG or PNG by suffix."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings = {
        "svg.hashsalt": "qbench",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.subplots()
        places = range(len(content.eps) + 1)
        for i, each in enumerate(content.scores):
            shares = [each.clean_accuracy, *(at.robust_accuracy for at in each.by_eps)]
            colour = _COLOURS[i % len(_COLOURS)]
            axes.plot(
                places,
                [100 * (s.value or 0) for s in shares],
                marker=_MARKERS[i % len(_MARKERS)],
                color=colour,
                label=each.runtime.name,
                alpha=0.9,
            )
            low, high = (
                [100 * (bound or 0) for bound in b]
                for b in zip(*((s.low, s.high) for s in shares), strict=True)
            )
            axes.fill_between(places, low, high, color=colour, alpha=0.12, linewidth=0)
        axes.set_xticks(places, ["clean", *(eps_text(e, content.data.domain) for e in content.eps)])
        axes.set(
            xlabel=f"perturbation budget eps ({content.norm})",
            ylabel="accuracy under attack, %",
            ylim=(0, 100),
            title=f"{content.attack} on {content.network}, {content.count:,} inputs",
        )
        axes.grid(axis="y", alpha=0.3)
        axes.legend(title="runtime", frameon=False)
        figure.savefig(
            path, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None}, dpi=150
        )
