"""Gradient masking: would an attacker with better gradients, or with none, break more?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qbench.attacks.budgets import check_eps
from qbench.errors import UserError
from qbench.studies.base import Prepared
from qbench.studies.content import StudyContent
from qbench.studies.gathering import Gathered, Network
from qbench.studies.masking.content import MaskingStudy, MaskingVerdict
from qbench.studies.masking.options import MaskingOptions
from qbench.studies.masking.trials import Battery, BatteryResult
from qbench.studies.masking.verdicts import judge
from qbench.surrogate.base import Surrogate
from qbench.surrogate.registry import open_surrogate, surrogate_file, usual_surrogate

_LIFTED = "lifted:clipped-ste"
_RULES = ("lifted:ste", "lifted:smooth")


def prepare(inputs: Sequence[str | Path], options: MaskingOptions) -> Prepared:
    """A verdict per network on gradient masking, with the evidence.

    The signs are those of Athalye, Carlini and Wagner, "Obfuscated Gradients Give a False Sense of Security"
    (ICML 2018, section 3.1), and Carlini et al. (arXiv 1902.06705, section 5): gradients that vanish; Square,
    which asks for scores alone, finite differences (SPSA), a smoothed gradient or a single step breaking what
    PGD leaves; inputs that stand with the whole domain as the ball.

    Args:
        inputs: bundles, and the advsets made against them: for their clean inputs and their findings.
        options: of the analysis.

    Raises:
        UserError: the inputs do not belong together, there is no advset, or no eps that
            means something in their domain.
    """
    gathered = Gathered.read(inputs)
    budget = _largest(gathered) if options.eps is None else options.eps
    check_eps([budget], gathered.data.domain, "linf", int(np.prod(gathered.data.input_shape)))
    battery = Battery(eps=budget, steps=options.steps, queries=options.queries, seed=options.seed)

    def work() -> StudyContent:
        verdicts = []
        with options.progress.task("masking", len(gathered.networks)) as advance:
            for network in gathered.networks:
                outcome = _try(gathered, network, options.surrogate, battery, options.count)
                verdicts.append(_verdict(gathered, network, outcome, budget))
                advance(1)
        return gathered.content(options.count, MaskingStudy(verdicts=tuple(verdicts)))

    return Prepared(gathered.digests, gathered.names, {**options.settings(), "eps": budget}, work)


def _largest(gathered: Gathered) -> float:
    budgets = [
        point.eps for each in gathered.require_attacks() for point, _ in each.points() if point.norm == "linf"
    ]
    if not budgets:
        raise UserError("no advset here has a Linf budget to take over", hint="give --eps")
    return max(budgets)


def _kind(network: Network, wanted: str | None) -> str:
    """The surrogate to judge: as told where the network has its file."""
    usual = usual_surrogate(network.content.artifacts)
    if wanted is not None:
        return wanted if surrogate_file(wanted, network.content.artifacts) else usual
    return _LIFTED if network.record.integer and not network.record.low_bit else usual


def _try(
    gathered: Gathered, network: Network, wanted: str | None, battery: Battery, count: int
) -> BatteryResult:
    """All trials; other gradient rules are tried where they are of the same network."""
    content, kind = network.content, _kind(network, wanted)

    def open_network(name: str) -> Surrogate:
        return open_surrogate(
            name, network.bundle.path, content.preprocessing, content.data.domain, content.task
        )

    same = network.record.integer and (network.record.low_bit or kind != "float")
    rules = [open_network(name) for name in _RULES] if same else []
    return battery.run(open_network(kind), rules, gathered.victims(count, network))


def _verdict(gathered: Gathered, network: Network, outcome: BatteryResult, eps: float) -> MaskingVerdict:
    verdict, explanation = judge(network.name, outcome)
    return MaskingVerdict(
        network=network.name,
        surrogate=outcome.surrogate,
        norm="linf",
        eps=eps,
        zero_gradient=outcome.zero_gradient,
        unbounded=outcome.unbounded,
        trials=outcome.trials,
        comparisons=outcome.comparisons,
        findings=tuple(
            finding
            for each in gathered.attacked
            if each.network is network
            for finding in each.advset.content.findings or ()
        ),
        verdict=verdict,
        explanation=explanation,
    )
