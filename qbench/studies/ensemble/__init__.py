"""Networks of different widths voting, against transferred attacks and one that knows them all."""

from qbench.studies.base import Analysis, Cost
from qbench.studies.ensemble.content import EnsembleStudy
from qbench.studies.ensemble.options import EnsembleOptions

ensemble = Analysis(
    __name__,
    title="Ensemble defense",
    summary="Networks of different widths voting, against transferred attacks and one that knows them all.",
    options=EnsembleOptions,
    content=EnsembleStudy,
    cost=Cost(30.0, 1.0),
)
