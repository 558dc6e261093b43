"""A study of shift as tables."""

from __future__ import annotations

from qbench.artifacts import DataInfo
from qbench.reporting.cells import Table
from qbench.studies.shift.content import ShiftStudy
from qbench.studies.tables import attack_text, estimate_text


def tables(study: ShiftStudy, data: DataInfo) -> tuple[Table, ...]:
    """What was found, as tables."""
    columns = (
        "layer",
        "operator",
        "codes changed %",
        "relative norm before %",
        "after %",
        "log2 growth",
        "vanished elements %",
    )
    return tuple(
        Table(
            f"Value shift in {profile.target}: {attack_text(profile.at, data)} on {profile.at.network}",
            columns,
            tuple(
                (
                    "input" if layer.layer < 0 else str(layer.layer),
                    layer.operator,
                    estimate_text(layer.changed, 100),
                    estimate_text(layer.before, 100),
                    estimate_text(layer.after, 100),
                    estimate_text(layer.growth),
                    estimate_text(layer.vanished, 100),
                )
                for layer in profile.layers
            ),
            keys=2,
        )
        for profile in study.profiles
    )
