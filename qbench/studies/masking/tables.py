"""A study of masking as tables."""

from __future__ import annotations

from qbench.artifacts import DataInfo
from qbench.reporting.cells import Table, budget_text, percent
from qbench.studies.masking.content import MaskingStudy
from qbench.studies.tables import comparison_text


def tables(study: MaskingStudy, data: DataInfo) -> tuple[Table, ...]:
    """What was found, as tables."""
    verdicts = tuple(
        (
            each.network,
            each.surrogate,
            each.verdict,
            percent(each.zero_gradient),
            percent(each.unbounded),
        )
        for each in study.verdicts
    )
    trials = tuple(
        (each.network, trial.name, trial.role, f"{trial.accuracy.total:,}", percent(trial.accuracy))
        for each in study.verdicts
        for trial in each.trials
    )
    tests = tuple(
        (each.network, test.first, test.second, *comparison_text(test))
        for each in study.verdicts
        for test in each.comparisons
    )
    eps = ", ".join(sorted({budget_text(each.eps, data, each.norm) for each in study.verdicts}))
    columns = ("network", "gradient of", "verdict", "vanishing gradients %", "broken without bound %")
    return (
        Table(f"Gradient masking (linf {eps}), with 95 % intervals", columns, verdicts, keys=3),
        Table(
            "Gradient masking, in words",
            ("network", "verdict and evidence"),
            tuple((each.network, each.explanation) for each in study.verdicts),
        ),
        Table(
            "Gradient masking: what was tried",
            ("network", "attack", "role", "inputs", "accuracy %"),
            trials,
            keys=3,
        ),
        Table(
            "Gradient masking: accuracy that the first leaves less that of the second",
            ("network", "attack", "rival", "difference, points", "McNemar's p"),
            tests,
            keys=3,
        ),
    )


def sentences(study: MaskingStudy) -> list[str]:
    """Each network's verdict with its evidence."""
    return [f"{each.network}: {each.explanation}" for each in study.verdicts]
