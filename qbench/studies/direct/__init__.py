"""Adversarial accuracy and the size of the successes, per network and attack."""

from qbench.studies.base import Analysis
from qbench.studies.direct.content import DirectStudy
from qbench.studies.direct.options import DirectOptions

direct = Analysis(
    __name__,
    title="Direct attacks",
    summary="Adversarial accuracy and the size of the successes, per network and attack.",
    options=DirectOptions,
    content=DirectStudy,
)
