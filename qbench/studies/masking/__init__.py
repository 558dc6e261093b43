"""Whether a network only hides its gradient: a masked network is weaker than gradient attacks say."""

from qbench.studies.base import Analysis, Cost
from qbench.studies.masking.content import MaskingStudy
from qbench.studies.masking.options import MaskingOptions

masking = Analysis(
    __name__,
    title="Gradient masking",
    summary=(
        "Whether a network only hides its gradient: a masked network is weaker than gradient attacks say."
    ),
    options=MaskingOptions,
    content=MaskingStudy,
    drawn=False,
    cost=Cost(60.0, 0.0),
)
