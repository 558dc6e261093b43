"""The claims of Bernhard, Moellic and Dutertre (2019), held against what the studies here found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qbench.artifacts import Artifact, StudyContent
from qbench.artifacts.studies import Claim, ClaimsStudy, Evidence, StudyNetwork, Verdict
from qbench.errors import UserError
from qbench.progress import SILENT, Progress
from qbench.study import bearings
from qbench.study.gathering import load_studies
from qbench.study.recording import recorded


@dataclass(frozen=True)
class _Statement:
    """A claim and how it is decided.

    Attributes:
        bearing: from the studies to the figures that bear on it, each with a verdict of its own.
    """

    name: str
    statement: str
    rule: str
    bearing: Callable[[Sequence[StudyContent]], Iterator[Evidence]]


_STATEMENTS = (
    _Statement(
        "no-protection",
        "Quantization gives no robust protection against adversarial examples.",
        "The strongest attack on each low-bit network (the paper's protocol) against the strongest of the "
        "same norm and budget on a float network: confirmed where the accuracy left is less than "
        f"{100 * bearings.PROTECTION:.0f} points higher, refuted where it is more.",
        bearings.protection,
    ),
    _Statement(
        "masking",
        "Quantizing activations masks gradients.",
        "The masking verdict of each network with low-bit activations.",
        bearings.masked,
    ),
    _Statement(
        "poor-transfer",
        "Adversarial examples transfer poorly between float and low-bit networks and across bit widths.",
        "Transfer between networks of different widths, over inputs that fooled the attacked network: "
        f"confirmed below {100 * bearings.POOR:.0f} %, refuted above.",
        bearings.poor_transfer,
    ),
    _Statement(
        "value-shift",
        "Quantizing activations makes most of a perturbation vanish (the quantization value shift).",
        "Of each network with low-bit activations and each attack the layer where the largest share of the "
        f"moved elements vanishes: confirmed above {100 * bearings.VANISHING:.0f} %, refuted below.",
        bearings.value_shift,
    ),
    _Statement(
        "misalignment",
        "The input gradients of networks of different widths are nearly orthogonal.",
        f"Mean cosine of each such pair: confirmed below {bearings.ORTHOGONAL:g} in size, refuted above.",
        bearings.misalignment,
    ),
    _Statement(
        "ensemble-transfer",
        "An ensemble of networks of different widths resists transferred adversarial examples better.",
        "Right answers of the averaged vote against those of the best member, per attack: confirmed where "
        "more, refuted where fewer.",
        bearings.ensemble_transferred,
    ),
    _Statement(
        "ensemble-adaptive",
        "The ensemble's gain holds against an attacker who knows it.",
        "Right answers of the averaged vote under an attack on the whole ensemble, against those of the best "
        "member under the same attack on it alone: confirmed where more, refuted where fewer.",
        bearings.ensemble_adaptive,
    ),
)


def claims(
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    missing: Sequence[str] = (),
    force: bool = False,
    progress: Progress = SILENT,
) -> Artifact[StudyContent]:
    """The paper's claims (arXiv 1909.12741), each confirmed, refuted or undecided by 95 % intervals alone.

    Every figure that bears on a claim has a verdict of its own: its whole interval lies on one side of the
    claim's threshold, or it is undecided. A claim about all networks is confirmed if all figures confirm it,
    refuted if all refute it, and undecided else, or if there is none.

    Args:
        inputs: study folders of the same data.
        out: folder to write.
        missing: what should have been among the inputs and could not be made.
        force: replace what `out` holds.
        progress: hears of every claim.

    Raises:
        UserError: there is no study, or they are of different data.
    """
    found = load_studies(inputs)
    contents = [each.content for each in found]
    networks = _united(contents)

    def work() -> StudyContent:
        with progress.task("claims", len(_STATEMENTS)) as advance:
            held = []
            for statement in _STATEMENTS:
                held.append(_held(statement, contents))
                advance(1)
        return StudyContent(
            data=contents[0].data, networks=networks, inputs=None, result=ClaimsStudy(claims=tuple(held))
        )

    digests = [each.manifest.digest for each in found]
    return recorded(
        out, "claims", digests, [each.name for each in networks], work, missing=missing, force=force
    )


def _united(contents: Sequence[StudyContent]) -> tuple[StudyNetwork, ...]:
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
    evidence = tuple(statement.bearing(contents))
    return Claim(
        name=statement.name,
        statement=statement.statement,
        rule=statement.rule,
        evidence=evidence,
        verdict=united([each.verdict for each in evidence]),
    )


def united(verdicts: Sequence[Verdict]) -> Verdict:
    """Of a claim, from those of all figures that bear on it."""
    if verdicts and len(set(verdicts)) == 1:
        return verdicts[0]
    return "undecided"
