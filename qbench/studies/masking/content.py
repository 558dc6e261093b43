"""What a study of gradient masking found."""

from __future__ import annotations

from typing import Literal

from qbench.artifacts.advsets import Finding
from qbench.artifacts.base import Record
from qbench.artifacts.figures import PairedTest, Proportion
from qbench.quant import Norm
from qbench.studies.content import AnalysisResult


class Trial(Record):
    """An attack that the masking analysis made.

    Attributes:
        name: the attack and the gradient that it followed.
        role: what it stands for in the comparisons.
        accuracy: inputs still classified right, over those that were right when clean.
    """

    name: str
    role: Literal["one step", "many steps", "gradient-free", "finite differences", "gradient rule"]
    accuracy: Proportion


class MaskingVerdict(Record):
    """Are a network's gradients masked?

    Attributes:
        surrogate: whose gradient is judged.
        zero_gradient: inputs where no element of it is other than zero.
        unbounded: inputs broken with the whole domain as the ball.
        comparisons: of trials; better is the one that leaves more inputs right, the weaker attack.
        findings: of the checks, in the network's advsets.
        verdict: "masked", "not masked" or "undecided".
        explanation: in plain words, with the evidence.
    """

    network: str
    surrogate: str
    norm: Norm
    eps: float
    zero_gradient: Proportion
    unbounded: Proportion
    trials: tuple[Trial, ...]
    comparisons: tuple[PairedTest, ...]
    findings: tuple[Finding, ...]
    verdict: Literal["masked", "not masked", "undecided"]
    explanation: str


class MaskingStudy(AnalysisResult):
    """One verdict a network."""

    analysis: Literal["masking"] = "masking"
    verdicts: tuple[MaskingVerdict, ...]
