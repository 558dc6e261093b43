"""All pictures come from here."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qbench.artifacts import ReplayContent
from qbench.reporting.tables import eps_text

# Okabe and Ito's palette, which people with any common colour blindness can tell apart.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
_MARKERS = "osD^vPX*"
_SPREAD = 0.07


def robustness_curves(content: ReplayContent, path: Path) -> None:
    """Robust accuracy against eps, a point with its 95 % interval a runtime; SVG or PNG by suffix."""
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
        places = np.arange(len(content.eps) + 1)
        for i, each in enumerate(content.scores):
            shares = [each.clean_accuracy, *(at.robust_accuracy for at in each.by_eps)]
            value, low, high = (
                np.array([100 * (getattr(share, name) or 0) for share in shares])
                for name in ("value", "low", "high")
            )
            # Runtimes often agree to the pixel: side by side they can still be told apart.
            beside = places + _SPREAD * (i - (len(content.scores) - 1) / 2)
            axes.errorbar(
                beside,
                value,
                yerr=(value - low, high - value),
                marker=_MARKERS[i % len(_MARKERS)],
                markersize=5,
                color=_COLOURS[i % len(_COLOURS)],
                label=each.runtime.name,
                linestyle="none",
                elinewidth=1.2,
                capsize=2,
            )
        axes.set_xticks(places, ["clean", *(eps_text(e, content.data.domain) for e in content.eps)])
        axes.set(
            xlabel=f"perturbation budget eps ({content.norm})",
            ylabel="accuracy under attack, %",
            ylim=(-2, 102),
            title=f"{content.attack} on {content.network}, {content.count:,} inputs",
        )
        axes.grid(axis="y", alpha=0.3)
        axes.legend(title="runtime", frameon=False)
        figure.savefig(
            path, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None}, dpi=150
        )
