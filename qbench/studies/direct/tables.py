"""A study of direct as tables."""

from __future__ import annotations

from qbench.artifacts import DataInfo
from qbench.reporting.cells import Table, percent
from qbench.studies.direct.content import DirectStudy
from qbench.studies.tables import attack_text, comparison_text, estimate_text


def tables(study: DirectStudy, data: DataInfo) -> tuple[Table, ...]:
    """What was found, as tables."""
    rows = tuple(
        (
            row.at.network,
            attack_text(row.at, data),
            row.at.surrogate,
            row.protocol,
            f"{row.accuracy.total:,}",
            percent(row.accuracy),
            f"{row.successes:,}",
            *(estimate_text(row.sizes[norm]) for norm in ("l0", "l1", "l2", "linf")),
        )
        for row in study.rows
    )
    columns = (
        "network",
        "attack",
        "gradient of",
        "protocol",
        "inputs",
        "adversarial accuracy %",
        "successes",
    )
    sizes = ("L0 of successes", "L1", "L2", "Linf")
    tables = [Table("Direct attacks, with 95 % intervals", (*columns, *sizes), rows, keys=4)]
    if study.comparisons:
        compared = tuple(
            (
                test.first,
                test.second,
                attack_text(at, data),
                f"{test.total:,}",
                *comparison_text(test),
                test.better or "neither, beyond doubt",
            )
            for at, test in study.comparisons
        )
        what = ("network", "and network", "attack", "inputs", "difference, points", "McNemar's p")
        title = "Which is more robust, on inputs that both get right when clean"
        tables.append(Table(title, (*what, "more robust"), compared, keys=3))
    return tuple(tables)
