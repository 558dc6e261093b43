"""Value shift by layer."""

from qbench.studies.base import Analysis, Cost
from qbench.studies.shift.content import ShiftStudy
from qbench.studies.shift.options import ShiftOptions

shift = Analysis(
    __name__,
    title="Value shift by layer",
    summary=(
        "What quantizing activations does to a perturbation on its way through the "
        "network: codes changed, and its size beside the float one's."
    ),
    options=ShiftOptions,
    content=ShiftStudy,
    cost=Cost(2.0, 1.5),
)
