"""The claims of Bernhard, Moellic and Dutertre (2019), held against what the studies here found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qbench.errors import UserError
from qbench.studies.base import Prepared
from qbench.studies.claims import evidence
from qbench.studies.claims.content import Claim, ClaimEvidence, ClaimsStudy, ClaimStatus
from qbench.studies.claims.options import ClaimsOptions
from qbench.studies.content import StudyContent, StudyNetwork
from qbench.studies.gathering import load_studies


@dataclass(frozen=True)
class _Statement:
    """A claim and how it is decided.

    Attributes:
        bearing: from the studies to the figures that bear on it, each with a verdict of its own.
    """

    name: str
    statement: str
    rule: str
    bearing: Callable[[Sequence[StudyContent]], Iterator[ClaimEvidence]]


_STATEMENTS = (
    _Statement(
        "no-protection",
        "Quantization gives no robust protection against adversarial examples.",
        "The strongest attack on each low-bit network (the paper's protocol) against the strongest of the "
        "same norm and budget on a float network: confirmed where the accuracy left is less than "
        f"{100 * evidence.PROTECTION:.0f} points higher, refuted where it is more.",
        evidence.protection,
    ),
    _Statement(
        "masking",
        "Quantizing activations masks gradients.",
        "The masking verdict of each network with low-bit activations.",
        evidence.masking_verdicts,
    ),
    _Statement(
        "poor-transfer",
        "Adversarial examples transfer poorly between float and low-bit networks and across bit widths.",
        "Transfer between networks of different widths, over inputs that fooled the attacked network: "
        f"confirmed below {100 * evidence.POOR:.0f} %, refuted above.",
        evidence.poor_transfer,
    ),
    _Statement(
        "value-shift",
        "Quantizing activations makes most of a perturbation vanish (the quantization value shift).",
        "Of each network with low-bit activations and each attack the layer where the largest share of the "
        f"moved elements vanishes: confirmed above {100 * evidence.VANISHING:.0f} %, refuted below.",
        evidence.value_shift,
    ),
    _Statement(
        "misalignment",
        "The input gradients of networks of different widths are nearly orthogonal.",
        f"Mean cosine of each such pair: confirmed below {evidence.ORTHOGONAL:g} in size, refuted above.",
        evidence.misalignment,
    ),
    _Statement(
        "ensemble-transfer",
        "An ensemble of networks of different widths resists transferred adversarial examples better.",
        "Right answers of the averaged vote against those of the best member, per attack: confirmed where "
        "more, refuted where fewer.",
        evidence.ensemble_transferred,
    ),
    _Statement(
        "ensemble-adaptive",
        "The ensemble's gain holds against an attacker who knows it.",
        "Right answers of the averaged vote under an attack on the whole ensemble, against those of the best "
        "member under the same attack on it alone: confirmed where more, refuted where fewer.",
        evidence.ensemble_adaptive,
    ),
)


def prepare(inputs: Sequence[str | Path], options: ClaimsOptions) -> Prepared:
    """The paper's claims (arXiv 1909.12741), each confirmed, refuted or undecided by 95 % intervals alone.

    Every figure that bears on a claim has a verdict of its own: its whole interval lies on one side of the
    claim's threshold, or it is undecided. A claim about all networks is confirmed if all figures confirm it,
    refuted if all refute it, and undecided else, or if there is none.

    Args:
        inputs: study folders of the same data.
        options: of the analysis.

    Raises:
        UserError: there is no study, or they are of different data.
    """
    found = load_studies(inputs)
    contents = [each.content for each in found]
    networks = _unite(contents)

    def work() -> StudyContent:
        with options.progress.task("claims", len(_STATEMENTS)) as advance:
            held = []
            for statement in _STATEMENTS:
                held.append(_held(statement, contents))
                advance(1)
        return StudyContent(
            data=contents[0].data, networks=networks, inputs=None, result=ClaimsStudy(claims=tuple(held))
        )

    digests = [each.manifest.digest for each in found]
    return Prepared(digests, [each.name for each in networks], options.settings(), work)


def _unite(contents: Sequence[StudyContent]) -> tuple[StudyNetwork, ...]:
    """The networks of all studies, which must mean the same by the same name."""
    found: dict[str, StudyNetwork] = {}
    for network in (each for content in contents for each in content.networks):
        known = found.setdefault(network.name, network)
        if known.digest != network.digest:
            raise UserError(
                f"two studies mean different networks by {network.name!r}",
                cause=f"bundles {known.digest[:12]} and {network.digest[:12]}",
                hint="make all studies from the same bundles",
            )
    return tuple(found.values())


def _held(statement: _Statement, contents: Sequence[StudyContent]) -> Claim:
    figures = tuple(statement.bearing(contents))
    return Claim(
        name=statement.name,
        statement=statement.statement,
        rule=statement.rule,
        evidence=figures,
        verdict=unite([each.verdict for each in figures]),
    )


def unite(verdicts: Sequence[ClaimStatus]) -> ClaimStatus:
    """Of a claim, from those of all figures that bear on it."""
    if verdicts and len(set(verdicts)) == 1:
        return verdicts[0]
    return "undecided"
