"""What Bernhard, Moellic and Dutertre (arXiv 1909.12741) claim, and what is found here."""

from qbench.studies.base import Analysis, Cost
from qbench.studies.claims.content import ClaimsStudy
from qbench.studies.claims.options import ClaimsOptions

claims = Analysis(
    __name__,
    title="Claims of the study",
    summary="What Bernhard, Moellic and Dutertre (arXiv 1909.12741) claim, and what is found here.",
    options=ClaimsOptions,
    content=ClaimsStudy,
    drawn=False,
    of_studies=True,
    cost=Cost(memory=1 << 29),
)
