"""What every study folder says; what it found is the record of its analysis."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator, SerializeAsAny

from qbench.artifacts import DataInfo
from qbench.artifacts.base import Content, Record
from qbench.artifacts.networks import FLOAT_BITS
from qbench.errors import UserError
from qbench.quant import Norm
from qbench.studies import find_analysis


class StudyNetwork(Record):
    """A network of a study.

    Attributes:
        name: unique in the study: the bundle's, with its widths where it was trained at low ones.
        digest: of its bundle.
        weight_bits, act_bits: bit widths it was trained with; 32 for float32.
        integer: whether the bundle has an integer artefact.
    """

    name: str
    digest: str
    weight_bits: int
    act_bits: int
    integer: bool

    @property
    def low_bit(self) -> bool:
        """Whether it was trained at low widths."""
        return min(self.weight_bits, self.act_bits) < FLOAT_BITS


class AttackPoint(Record):
    """An attack at one budget, by the network that it was made against.

    Attributes:
        network: a `StudyNetwork`'s name.
        surrogate: whose gradient was followed, or the oracle that was asked.
    """

    network: str
    attack: str
    norm: Norm
    surrogate: str
    eps: float


class AnalysisResult(Record):
    """Base of what an analysis found; `analysis` is its name, by which a header is read."""

    analysis: str


def _read_result(value: Any) -> AnalysisResult:
    """A result, from itself or from what a header says of it: its analysis' record decides."""
    if isinstance(value, AnalysisResult):
        return value
    name = value.get("analysis") if isinstance(value, dict) else None
    if not isinstance(name, str):
        raise ValueError("it does not say of which analysis it is")
    try:
        content = find_analysis(name).content
    except UserError as error:
        raise ValueError(error.what) from error
    return content.model_validate(value)


class StudyContent(Content):
    """One analysis over artefacts of the same data.

    Attributes:
        networks: that take part, in the order of the tables.
        inputs: how many clean inputs the analysis drew or found; None for `claims`.
        missing: what an experiment should have given it and could not make.
    """

    data: DataInfo
    networks: tuple[StudyNetwork, ...]
    inputs: int | None
    result: Annotated[SerializeAsAny[AnalysisResult], PlainValidator(_read_result)]
    missing: tuple[str, ...] = ()
