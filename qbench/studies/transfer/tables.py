"""A study of transfer as tables."""

from __future__ import annotations

from qbench.artifacts import DataInfo
from qbench.reporting.cells import Table, percent
from qbench.studies.tables import attack_text
from qbench.studies.transfer.content import TransferStudy


def tables(study: TransferStudy, data: DataInfo) -> tuple[Table, ...]:
    """What was found, as tables."""
    rows = tuple(
        (
            cell.at.network,
            attack_text(cell.at, data),
            cell.target,
            cell.runtime,
            f"{cell.accuracy.total:,}",
            percent(cell.accuracy),
            percent(cell.transfer),
        )
        for cell in study.cells
    )
    columns = ("attacked", "attack", "target", "runtime", "inputs", "target's accuracy %", "transfer %")
    title = "Transfer, on inputs that both get right when clean, with 95 % intervals"
    return (Table(title, columns, rows, keys=4),)
