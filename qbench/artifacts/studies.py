"""What a study folder says: one record an analysis, told apart by its `analysis`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from qbench.artifacts.schema import (
    FLOAT_BITS,
    MANIFESTS,
    CountSummary,
    DataInfo,
    Finding,
    Manifest,
    Proportion,
    Record,
)
from qbench.quant import Norm

# Of the exact tests, as of all intervals.
_ALPHA = 0.05

Verdict = Literal["confirmed", "refuted", "undecided"]


class Estimate(Record):
    """A mean or a difference with its 95 % interval; None where nothing was measured.

    Attributes:
        count: of the inputs that it rests on.
    """

    count: int
    value: float | None
    low: float | None
    high: float | None


class PairedTest(Record):
    """Two treatments of the same inputs, compared input by input.

    Attributes:
        first, second: their names.
        total: inputs that both were tried on.
        only_first, only_second: inputs that only the one still gets right.
        difference: share that the first gets right less that of the second.
        p_value: of McNemar's exact test.
    """

    first: str
    second: str
    total: int
    only_first: int
    only_second: int
    difference: Estimate
    p_value: float

    @property
    def better(self) -> str | None:
        """The one that gets more right beyond doubt, by interval and test; None if neither does."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None or low <= 0 <= high or self.p_value >= _ALPHA:
            return None
        return self.first if low > 0 else self.second


class StudyNetwork(Record):
    """A network of a study.

    Attributes:
        name: unique in the study: the bundle's, with its widths where it was trained at low ones.
        digest: of its bundle.
        weight_bits, act_bits: that it was trained at; 32 for real numbers.
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


class DirectRow(Record):
    """What an attack did to the network that it was made against.

    Attributes:
        protocol: "paper": inputs that the network gets right when clean, at most 1,000; "all": every input.
        accuracy: still classified right (adversarial accuracy).
        successes: inputs classified right when clean and wrong when attacked.
        sizes: by the name of a norm, the mean size of the successes.
    """

    at: AttackPoint
    protocol: Literal["paper", "all"]
    accuracy: Proportion
    successes: int
    sizes: dict[Literal["l0", "l1", "l2", "linf"], Estimate]


class DirectStudy(Record):
    """Direct attacks; `comparisons` hold pairs of networks, on inputs that both get right when clean."""

    analysis: Literal["direct"] = "direct"
    rows: tuple[DirectRow, ...]
    comparisons: tuple[tuple[AttackPoint, PairedTest], ...]


class TransferCell(Record):
    """An attack on one network, tried on another.

    Attributes:
        at: the attack.
        target: the network that it is tried on.
        runtime: that executes the target; "float" where it has no integer artefact.
        accuracy: the target still right, over inputs that both get right when clean.
        transfer: the target fooled, over those of them that fooled the attacked network.
    """

    at: AttackPoint
    target: str
    runtime: str
    accuracy: Proportion
    transfer: Proportion


class TransferStudy(Record):
    """The transfer matrix."""

    analysis: Literal["transfer"] = "transfer"
    cells: tuple[TransferCell, ...]


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


class MaskingStudy(Record):
    """One verdict a network."""

    analysis: Literal["masking"] = "masking"
    verdicts: tuple[MaskingVerdict, ...]


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


class AlignmentStudy(Record):
    """Every pair of networks; `surrogates` has by network whose gradient it is."""

    analysis: Literal["alignment"] = "alignment"
    surrogates: dict[str, str]
    pairs: tuple[Alignment, ...]


class LayerShift(Record):
    """What quantizing one layer's activations does to an adversarial perturbation.

    Attributes:
        layer: index of the operator in the file; -1 is the rounding of the input itself.
        operator: its name in the file format.
        tensor: the name of its output.
        changed: mean share of output codes that are not the clean ones.
        before: mean L2 norm of the perturbation over that of the clean values, in the operator's real result
            on the runtime's own input codes, before rounding and saturation.
        after: the same in the output codes.
        growth: mean of log2(after / before), over inputs where both are above zero.
        vanished: mean share of the elements that moved before whose codes did not.
    """

    layer: int
    operator: str
    tensor: str
    changed: Estimate
    before: Estimate
    after: Estimate
    growth: Estimate
    vanished: Estimate


class ShiftProfile(Record):
    """Layer by layer, on the network that runs the attack's inputs."""

    at: AttackPoint
    target: str
    layers: tuple[LayerShift, ...]


class ShiftStudy(Record):
    """The quantization value shift, on TFLite's reference kernels."""

    analysis: Literal["shift"] = "shift"
    profiles: tuple[ShiftProfile, ...]


class EnsembleRow(Record):
    """The ensemble on one set of inputs.

    Attributes:
        at: the attack; None for clean inputs. An adaptive attack's network is "ensemble".
        majority, averaged: classified right by each vote.
        single: classified right by the best member.
        rejected: inputs on which fewer than `agreement` members agree.
        wrong_accepted: inputs that pass and are classified wrong.
        gain: the averaged vote against the best member.
        rejection_gain: not fooled (right or rejected) against the best member's right ones.
    """

    at: AttackPoint | None
    adaptive: bool
    majority: Proportion
    averaged: Proportion
    single: Proportion
    rejected: Proportion
    wrong_accepted: Proportion
    gain: PairedTest
    rejection_gain: PairedTest


class MemberCost(Record):
    """What a member adds on a board.

    Attributes:
        flash_bytes: of its integer artefact; None if it has none.
        arena_bytes, counts, counter, board: of a replay on a device, where one is given.
    """

    network: str
    runtime: str
    flash_bytes: int | None
    arena_bytes: int | None
    board: str | None
    counter: str | None
    counts: CountSummary | None


class EnsembleCost(Record):
    """Sums over the members; None where one is unknown, or where boards or counters differ."""

    flash_bytes: int | None
    arena_bytes: int | None
    median_count: int | None
    counter: str | None


class EnsembleStudy(Record):
    """The ensemble defense; `agreement` is how many members must agree to accept an input."""

    analysis: Literal["ensemble"] = "ensemble"
    members: tuple[MemberCost, ...]
    best_member: str
    agreement: int
    rows: tuple[EnsembleRow, ...]
    cost: EnsembleCost


class Evidence(Record):
    """One figure that bears on a claim; `value` in the unit that `text` names."""

    text: str
    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict


class Claim(Record):
    """A claim of Bernhard, Moellic and Dutertre (2019), held against the evidence.

    Attributes:
        statement: theirs, in our words.
        rule: when an interval confirms and when it refutes.
        evidence: what there is; empty if no analysis bears on it.
    """

    name: str
    statement: str
    rule: str
    evidence: tuple[Evidence, ...]
    verdict: Verdict


class ClaimsStudy(Record):
    """The paper's claims."""

    analysis: Literal["claims"] = "claims"
    claims: tuple[Claim, ...]


Analysis = Annotated[
    DirectStudy | TransferStudy | MaskingStudy | AlignmentStudy | ShiftStudy | EnsembleStudy | ClaimsStudy,
    Field(discriminator="analysis"),
]


class StudyContent(Record):
    """One analysis over artefacts of the same data.

    Attributes:
        networks: that take part, in the order of the tables.
        inputs: how many clean inputs the analysis drew or found; None for `claims`.
        missing: what an experiment should have given it and could not make.
    """

    data: DataInfo
    networks: tuple[StudyNetwork, ...]
    inputs: int | None
    result: Analysis
    missing: tuple[str, ...] = ()


MANIFESTS["study"] = Manifest[StudyContent]
