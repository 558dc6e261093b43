"""A study of ensemble as tables."""

from __future__ import annotations

from qbench.artifacts import DataInfo
from qbench.reporting.cells import NOTHING, Table, percent
from qbench.studies.ensemble.content import EnsembleRow, EnsembleStudy
from qbench.studies.tables import attack_text, comparison_text


def tables(study: EnsembleStudy, data: DataInfo) -> tuple[Table, ...]:
    """What was found, as tables."""
    columns = (
        "attack",
        "on",
        "inputs",
        "majority %",
        "averaged %",
        "best member %",
        "gain, points",
        "McNemar's p",
        "rejected %",
        "wrong and accepted %",
    )
    title = f"Ensemble of {len(study.members)}, best member {study.best_member}, with 95 % intervals"
    note = f"rejected where fewer than {study.agreement} agree"
    rows = tuple(_ensemble_row(row, data) for row in study.rows)
    return (Table(f"{title}; {note}", columns, rows, keys=2), _cost(study))


def _ensemble_row(row: EnsembleRow, data: DataInfo) -> tuple[str, ...]:
    what = "clean" if row.at is None else attack_text(row.at, data)
    on = NOTHING if row.at is None else row.at.network
    return (
        f"{what}, adaptive" if row.adaptive else what,
        on,
        f"{row.majority.total:,}",
        percent(row.majority),
        percent(row.averaged),
        percent(row.single),
        *comparison_text(row.gain),
        percent(row.rejected),
        percent(row.wrong_accepted),
    )


def _cost(study: EnsembleStudy) -> Table:
    rows = [
        (
            member.network,
            member.runtime,
            _count(member.flash_bytes),
            _count(member.arena_bytes),
            _count(member.counts.median if member.counts else None),
            member.counter or NOTHING,
            member.board or NOTHING,
        )
        for member in study.members
    ]
    total = study.cost
    sums = (_count(total.flash_bytes), _count(total.arena_bytes), _count(total.median_count))
    rows.append(("together", NOTHING, *sums, total.counter or NOTHING, NOTHING))
    columns = ("member", "runtime", "flash bytes", "RAM bytes", "median an inference", "in", "board")
    return Table("What the ensemble costs", columns, tuple(rows), keys=2)


def _count(number: int | None) -> str:
    return NOTHING if number is None else f"{number:,}"
