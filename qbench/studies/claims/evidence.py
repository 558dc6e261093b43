"""Which figures of the studies bear on which of the paper's claims, and what each of them says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from qbench.artifacts import Estimate, PairedTest, Proportion
from qbench.artifacts.base import Record
from qbench.artifacts.networks import FLOAT_BITS
from qbench.statistics import difference
from qbench.studies.alignment.content import AlignmentStudy
from qbench.studies.claims.content import ClaimEvidence, ClaimStatus
from qbench.studies.content import StudyContent, StudyNetwork
from qbench.studies.direct.content import DirectRow, DirectStudy
from qbench.studies.ensemble.content import EnsembleStudy
from qbench.studies.masking.content import MaskingStudy
from qbench.studies.shift.content import ShiftStudy
from qbench.studies.tables import attack_text
from qbench.studies.transfer.content import TransferStudy

# How much more accuracy a low-bit network must keep to count as protected.
PROTECTION = 0.10
# Transfer below it is poor.
POOR = 0.5
# Cosines below it in size are near zero.
ORTHOGONAL = 0.1
# The share of the moved elements of a layer above which a perturbation counts as vanishing.
VANISHING = 0.5

ResultT = TypeVar("ResultT", bound=Record)
_Norm = tuple[str, float]


def protection(contents: Sequence[StudyContent]) -> Iterator[ClaimEvidence]:
    """Each low-bit network against each float one, both under their strongest attack of a norm and budget."""
    for content, result in _of(contents, DirectStudy):
        networks, data = _networks(content), content.data
        strongest = _strongest(result)
        for (name, norm), row in strongest.items():
            for (base, base_norm), base_row in strongest.items():
                if norm == base_norm and networks[name].low_bit and not networks[base].low_bit:
                    gain = difference(row.accuracy, base_row.accuracy)
                    yield _evidence(
                        f"accuracy of {name} under {attack_text(row.at, data)} less that of {base} under "
                        f"{attack_text(base_row.at, data)}",
                        gain,
                        _below(gain, PROTECTION),
                    )


def _strongest(result: DirectStudy) -> dict[tuple[str, _Norm], DirectRow]:
    """By network, norm and budget, the row of the paper's protocol with the lowest accuracy."""
    found: dict[tuple[str, _Norm], DirectRow] = {}
    for row in result.rows:
        key = (row.at.network, (row.at.norm, row.at.eps))
        if row.protocol == "paper" and row.accuracy.value is not None:
            known = found.setdefault(key, row)
            if row.accuracy.value < (known.accuracy.value or 0.0):
                found[key] = row
    return found


def masking_verdicts(contents: Sequence[StudyContent]) -> Iterator[ClaimEvidence]:
    """The verdict of every network with low-bit activations; its figure is the vanishing gradients."""
    says: dict[str, ClaimStatus] = {"masked": "confirmed", "not masked": "refuted", "undecided": "undecided"}
    for content, result in _of(contents, MaskingStudy):
        networks = _networks(content)
        for each in result.verdicts:
            if networks[each.network].act_bits < FLOAT_BITS:
                share = each.zero_gradient
                yield ClaimEvidence(
                    text=f"{each.network} ({each.surrogate}): {each.verdict}; share of vanishing gradients",
                    value=share.value,
                    low=share.low,
                    high=share.high,
                    verdict=says[each.verdict],
                )


def poor_transfer(contents: Sequence[StudyContent]) -> Iterator[ClaimEvidence]:
    """Every cell between networks of different widths."""
    for content, result in _of(contents, TransferStudy):
        networks, data = _networks(content), content.data
        for cell in result.cells:
            if _differ(networks[cell.at.network], networks[cell.target]) and cell.transfer.total:
                share = _as_estimate(cell.transfer)
                yield _evidence(
                    f"transfer of {attack_text(cell.at, data)} from {cell.at.network} to {cell.target} on "
                    f"{cell.runtime}",
                    share,
                    _below(share, POOR),
                )


def value_shift(contents: Sequence[StudyContent]) -> Iterator[ClaimEvidence]:
    """Of every profile of a network with low-bit activations, the layer where most of it vanishes."""
    for content, result in _of(contents, ShiftStudy):
        networks, data = _networks(content), content.data
        for profile in result.profiles:
            layers = [each for each in profile.layers if each.vanished.value is not None and each.layer >= 0]
            if networks[profile.target].act_bits < FLOAT_BITS and layers:
                most = max(layers, key=lambda each: each.vanished.value or 0.0)
                yield _evidence(
                    f"share of moved elements that vanish, layer {most.layer} ({most.operator}) of "
                    f"{profile.target}; {attack_text(profile.at, data)} on {profile.at.network}",
                    most.vanished,
                    _opposite(_below(most.vanished, VANISHING)),
                )


def misalignment(contents: Sequence[StudyContent]) -> Iterator[ClaimEvidence]:
    """Every pair of networks of different widths."""
    for content, result in _of(contents, AlignmentStudy):
        networks = _networks(content)
        by_member = {name: networks[_owner(name, kind, networks)] for name, kind in result.surrogates.items()}
        for pair in result.pairs:
            if _differ(by_member[pair.first], by_member[pair.second]) and pair.cosine.mean.count:
                yield _evidence(
                    f"mean cosine between {pair.first} and {pair.second}",
                    pair.cosine.mean,
                    _within(pair.cosine.mean, ORTHOGONAL),
                )


def _owner(member: str, kind: str, networks: dict[str, StudyNetwork]) -> str:
    """The network of a member, which is called after it, with the surrogate where there are several."""
    return member if member in networks else member.removesuffix(f" {kind}")


def ensemble_transferred(contents: Sequence[StudyContent]) -> Iterator[ClaimEvidence]:
    """Every advset at every budget."""
    return _gains(contents, adaptive=False)


def ensemble_adaptive(contents: Sequence[StudyContent]) -> Iterator[ClaimEvidence]:
    """Every budget."""
    return _gains(contents, adaptive=True)


def _gains(contents: Sequence[StudyContent], *, adaptive: bool) -> Iterator[ClaimEvidence]:
    """Of ensembles whose members' widths are not all the same."""
    for content, result in _of(contents, EnsembleStudy):
        if len({(each.weight_bits, each.act_bits) for each in content.networks}) > 1:
            for row in result.rows:
                if row.at is not None and row.adaptive == adaptive:
                    attack = f"{attack_text(row.at, content.data)} on {row.at.network}"
                    text = f"averaged vote less {row.gain.second}; {attack}"
                    yield _evidence(text, row.gain.difference, _better(row.gain))


def _better(test: PairedTest) -> ClaimStatus:
    if test.better is None:
        return "undecided"
    return "confirmed" if test.better == test.first else "refuted"


def _of(contents: Sequence[StudyContent], kind: type[ResultT]) -> Iterator[tuple[StudyContent, ResultT]]:
    """The studies of one analysis."""
    for content in contents:
        if isinstance(content.result, kind):
            yield content, content.result


def _networks(content: StudyContent) -> dict[str, StudyNetwork]:
    return {network.name: network for network in content.networks}


def _differ(first: StudyNetwork, second: StudyNetwork) -> bool:
    """Whether two networks have different widths."""
    return (first.weight_bits, first.act_bits) != (second.weight_bits, second.act_bits)


def _as_estimate(share: Proportion) -> Estimate:
    return Estimate(count=share.total, value=share.value, low=share.low, high=share.high)


def _evidence(text: str, figure: Estimate, verdict: ClaimStatus) -> ClaimEvidence:
    return ClaimEvidence(text=text, value=figure.value, low=figure.low, high=figure.high, verdict=verdict)


def _below(figure: Estimate, threshold: float) -> ClaimStatus:
    """Whether the whole interval lies below a threshold."""
    if figure.low is None or figure.high is None:
        return "undecided"
    if figure.high < threshold:
        return "confirmed"
    return "refuted" if figure.low > threshold else "undecided"


def _within(figure: Estimate, threshold: float) -> ClaimStatus:
    """Whether the whole interval lies within a threshold of zero."""
    if figure.low is None or figure.high is None:
        return "undecided"
    if -threshold < figure.low and figure.high < threshold:
        return "confirmed"
    return "refuted" if figure.low > threshold or figure.high < -threshold else "undecided"


def _opposite(verdict: ClaimStatus) -> ClaimStatus:
    turned: dict[ClaimStatus, ClaimStatus] = {"confirmed": "refuted", "refuted": "confirmed"}
    return turned.get(verdict, verdict)
