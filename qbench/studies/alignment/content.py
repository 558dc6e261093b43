"""What a study of gradient alignment found."""

from __future__ import annotations

from typing import Literal

from qbench.artifacts.base import Record
from qbench.artifacts.figures import Estimate
from qbench.studies.content import AnalysisResult


class Distribution(Record):
    """How a quantity is spread over inputs.

    Attributes:
        mean: with its interval.
        quantiles: at 5, 25, 50, 75 and 95 %; empty if nothing was measured.
        histogram: counts in bins of equal width over [low, high].
        undefined: inputs where it has no value, such as the cosine with a zero gradient.
    """

    mean: Estimate
    quantiles: tuple[float, ...]
    low: float
    high: float
    histogram: tuple[int, ...]
    undefined: int


class Alignment(Record):
    """The input gradients of two networks on the same inputs.

    Attributes:
        cosine: between them.
        sign_agreement: share of elements with the same sign, over those where neither is zero.
    """

    first: str
    second: str
    cosine: Distribution
    sign_agreement: Distribution


class AlignmentStudy(AnalysisResult):
    """Every pair of networks; `surrogates` has by network whose gradient it is."""

    analysis: Literal["alignment"] = "alignment"
    surrogates: dict[str, str]
    pairs: tuple[Alignment, ...]
