"""A study of alignment as tables."""

from __future__ import annotations

from qbench.artifacts import DataInfo
from qbench.reporting.cells import NOTHING, Table
from qbench.studies.alignment.content import AlignmentStudy
from qbench.studies.tables import estimate_text


def tables(study: AlignmentStudy, data: DataInfo) -> tuple[Table, ...]:
    """What was found, as tables."""
    del data
    rows = tuple(
        (
            pair.first,
            pair.second,
            estimate_text(pair.cosine.mean),
            " / ".join(f"{value:.2f}" for value in pair.cosine.quantiles) or NOTHING,
            estimate_text(pair.sign_agreement.mean, 100),
            f"{pair.cosine.undefined:,}",
        )
        for pair in study.pairs
    )
    columns = ("network", "and network", "mean cosine", "at 5 / 25 / 50 / 75 / 95 %")
    more = ("same sign %", "inputs with a zero gradient")
    return (Table("Gradient alignment, with 95 % intervals", (*columns, *more), rows, keys=2),)
