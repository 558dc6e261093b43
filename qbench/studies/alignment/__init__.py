"""Gradient alignment."""

from qbench.studies.alignment.content import AlignmentStudy
from qbench.studies.alignment.options import AlignmentOptions
from qbench.studies.base import Analysis, Cost

alignment = Analysis(
    __name__,
    title="Gradient alignment",
    summary=(
        "Where the input gradients of each pair of networks point: at a cosine "
        "near 0, a step that hurts one says nothing of the other."
    ),
    options=AlignmentOptions,
    content=AlignmentStudy,
    cost=Cost(3.0, 0.0),
)
