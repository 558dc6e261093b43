"""Transfer."""

from qbench.studies.base import Analysis, Cost
from qbench.studies.transfer.content import TransferStudy
from qbench.studies.transfer.options import TransferOptions

transfer = Analysis(
    __name__,
    title="Transfer",
    summary=(
        "How often inputs made against one network also fool another, or another runtime "
        "of the same one; of inputs that both get right when clean."
    ),
    options=TransferOptions,
    content=TransferStudy,
    cost=Cost(2.0, 1.0),
)
