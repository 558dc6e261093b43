"""Tables of figures that only some tasks have, or that were asked for."""

from __future__ import annotations

from collections.abc import Callable

from qbench.artifacts import Detection, EpsScores, Estimate, Proportion, ReplayContent, RuntimeScores
from qbench.reporting.cells import NOTHING, Table, budget_text, percent


def task_tables(content: ReplayContent) -> list[Table]:
    """How well anomalies are told from normal inputs, and the highest scores beyond the first."""
    found = []
    if any(each.detection for each in content.scores):
        found.append(_detection(content))
    if any(each.error for each in content.scores):
        found.append(_errors(content))
    if content.top is not None:
        found.append(_top(content, content.top))
    return found


def auc_text(area: Estimate) -> str:
    """An area with its interval in brackets."""
    if area.value is None or area.low is None or area.high is None:
        return NOTHING
    return f"{area.value:.3f} [{area.low:.3f}, {area.high:.3f}]"


def _detection(content: ReplayContent) -> Table:
    rows = tuple(
        (each.runtime.name, eps, *_figures(at.detection))
        for each in content.scores
        for eps, at in _sets(content, each)
        if at.detection
    )
    threshold = content.task.threshold
    columns = ("runtime", "eps", "AUC", "pAUC up to 10 % false alarms", "missed %", "false alarms %")
    title = f"Anomaly detection with 95 % intervals; a mean squared error above {threshold:.4g} is reported"
    return Table(title, columns, rows, keys=2)


def _errors(content: ReplayContent) -> Table:
    rows = tuple(
        (each.runtime.name, *(_estimate(at.error) for _, at in _sets(content, each)))
        for each in content.scores
    )
    budgets = (budget_text(eps, content.data, content.norm) for eps in content.eps)
    title = (
        "Mean absolute error of the regression with bootstrap 95 % intervals; up to "
        f"{content.task.threshold:.4g} counts as right"
    )
    return Table(title, ("runtime", "clean", *budgets), rows)


def _estimate(found: Estimate | None) -> str:
    if found is None or found.value is None:
        return NOTHING
    if found.low is None or found.high is None:
        return f"{found.value:.4g}"
    return f"{found.value:.4g} [{found.low:.4g}, {found.high:.4g}]"


def _figures(found: Detection) -> tuple[str, ...]:
    return auc_text(found.auc), auc_text(found.pauc), percent(found.missed), percent(found.false_alarms)


def _top(content: ReplayContent, top: int) -> Table:
    share: Callable[[Proportion | None], str] = lambda each: percent(each) if each else NOTHING  # noqa: E731
    rows = tuple(
        (each.runtime.name, *(share(at.top) for _, at in _sets(content, each))) for each in content.scores
    )
    budgets = (budget_text(eps, content.data, content.norm) for eps in content.eps)
    title = f"True label among the {top} highest scores, in % with Wilson 95 % intervals"
    return Table(title, ("runtime", "clean", *budgets), rows)


def _sets(content: ReplayContent, scores: RuntimeScores) -> list[tuple[str, RuntimeScores | EpsScores]]:
    """The clean inputs and those of every budget, each with its name."""
    budgets = [(budget_text(at.eps, content.data, content.norm), at) for at in scores.by_eps]
    return [("clean", scores), *budgets]
