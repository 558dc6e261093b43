"""A picture of a study of transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qbench.studies.content import StudyContent
from qbench.studies.plots import heat_map
from qbench.studies.tables import attack_text
from qbench.studies.transfer.content import TransferCell, TransferStudy

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(figure: Figure, content: StudyContent, study: TransferStudy) -> None:
    """A heat map an attack: of the inputs that fooled the attacked network, how many fool the target."""
    runtimes = {cell.runtime for cell in study.cells}
    by_attack: dict[str, dict[tuple[str, str], float]] = {}
    inputs: dict[str, dict[tuple[str, str], int]] = {}
    for cell in study.cells:
        if cell.transfer.value is not None:
            name = f"{attack_text(cell.at, content.data)} ({cell.at.surrogate})"
            key = (cell.at.network, _target(cell, alone=len(runtimes) == 1))
            by_attack.setdefault(name, {})[key] = 100 * cell.transfer.value
            inputs.setdefault(name, {})[key] = cell.transfer.total
    maps = max(1, len(by_attack))
    rows = len({cell.at.network for cell in study.cells})
    columns = len({(cell.target, cell.runtime) for cell in study.cells})
    figure.set_size_inches(3 + 0.5 * columns, maps * (1.8 + 0.35 * rows))
    for axes, (name, cells) in zip(
        figure.subplots(maps, squeeze=False)[:, 0], by_attack.items(), strict=False
    ):
        image = heat_map(axes, cells, label=name, low=0, high=100, inputs=inputs[name])
        axes.set(xlabel="target", ylabel="attacked")
        figure.colorbar(image, ax=axes, label="transfer, %")


def _target(cell: TransferCell, *, alone: bool) -> str:
    return cell.target if alone else f"{cell.target}, {cell.runtime}"
