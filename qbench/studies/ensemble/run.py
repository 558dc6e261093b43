"""Ensemble defense: networks of different widths vote, or reject what they do not agree on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from qbench.attacks import Victims, find_attack
from qbench.errors import UserError
from qbench.places import cores
from qbench.progress import Progress
from qbench.quant import Norm
from qbench.statistics import compare_paired, proportion
from qbench.studies.base import Prepared
from qbench.studies.content import AttackPoint, StudyContent
from qbench.studies.ensemble.content import EnsembleRow, EnsembleStudy
from qbench.studies.ensemble.costs import member_costs, sum_costs
from qbench.studies.ensemble.mixture import Mixture
from qbench.studies.ensemble.options import EnsembleOptions
from qbench.studies.gathering import Attacked, Gathered, Network
from qbench.studies.judging import Array, Judge, judges, probabilities, versions
from qbench.surrogate.base import Surrogate
from qbench.surrogate.registry import open_surrogate, surrogate_file, usual_surrogate

_ADAPTIVE = "pgd"
_BATCH = 64
ENSEMBLE = "ensemble"


def prepare(inputs: Sequence[str | Path], options: EnsembleOptions) -> Prepared:
    """Votes and agreement-based rejection, against transferred and adaptive attacks, and what they cost.

    Bernhard, Moellic and Dutertre (arXiv 1909.12741) exploit poor transfer by an ensemble. It is
    judged here by an attacker who knows it as well (Athalye, Carlini and Wagner, ICML 2018; Tramer et al.,
    NeurIPS 2020): PGD on the log of the members' mean probability, at every Linf budget of the advsets. The
    best member, by its bundle's clean accuracy, is then attacked alone with the same steps.

    Args:
        inputs: bundles, all of them members; advsets made against them; replays on a device for the cost.
        options: of the analysis.

    Raises:
        UserError: the inputs do not belong together, there are fewer than two networks or no advset, or
            `agreement` is not between 2 and the number of networks.
        EnvironmentLacks: the runtime is not here.
    """
    gathered = Gathered.read(inputs)
    networks, attacked = gathered.require_networks(2), gathered.require_attacks()
    needed = len(networks) if options.agreement is None else options.agreement
    if not 2 <= needed <= len(networks):
        raise UserError(f"agreement must be between 2 and the {len(networks)} networks, not {needed}")

    def work() -> StudyContent:
        with ExitStack() as stack:
            members = [
                stack.enter_context(judges(network, [options.runtime], options.threads or cores()))[0]
                for network in networks
            ]
            adaptive = _Adaptive(
                _mixture(gathered, options.surrogate),
                gathered.victims(options.count),
                options.steps,
                options.seed,
            )
            panel = _Panel(members, [network.name for network in networks], needed)
            best = int(np.argmax([_clean_accuracy(network) for network in networks]))
            rows = _rows(panel, gathered, adaptive, best, options.progress)
        costs = member_costs(gathered, [member.name for member in members])
        return gathered.content(
            max(len(each.truth) for each in attacked),
            EnsembleStudy(
                members=costs,
                best_member=panel.names[best],
                agreement=needed,
                rows=tuple(rows),
                cost=sum_costs(costs),
            ),
        )

    settings: dict[str, JsonValue] = {
        **options.settings(),
        "agreement": needed,
        "runtime": {**versions([options.runtime])},
    }
    return Prepared(gathered.digests, gathered.names, settings, work)


def _mixture(gathered: Gathered, surrogate: str) -> Mixture:
    """The ensemble as one network with a gradient."""
    members = []
    for network in gathered.networks:
        content = network.content
        fits = surrogate_file(surrogate, content.artifacts)
        kind = surrogate if fits else usual_surrogate(content.artifacts)
        members.append(
            open_surrogate(
                kind, network.bundle.path, content.preprocessing, content.data.domain, content.task
            )
        )
    return Mixture(members)


@dataclass(frozen=True)
class Votes:
    """What the members say of some inputs.

    Attributes:
        labels: [members, n].
        averaged: [n], the label of the highest mean probability.
    """

    labels: NDArray[np.int64]
    averaged: NDArray[np.int64]

    @classmethod
    def of(cls, probabilities: Sequence[NDArray[np.float64]]) -> Votes:
        """From each member's probabilities [n, classes]."""
        stacked = np.stack(probabilities)
        return cls(stacked.argmax(axis=2), stacked.mean(axis=0).argmax(axis=1))

    @property
    def majority(self) -> NDArray[np.int64]:
        """The label that most members give; the averaged vote decides between equals, else the lowest."""
        counts = self._counts()
        rows = np.arange(counts.shape[1])
        most = counts.max(axis=0)
        return np.where(counts[self.averaged, rows] == most, self.averaged, counts.argmax(axis=0))

    def reject(self, agreement: int) -> NDArray[np.bool_]:
        """Inputs that fewer than `agreement` members agree on."""
        return np.asarray(self._counts().max(axis=0) < agreement)

    def _counts(self) -> NDArray[np.int64]:
        """[labels, n], how many members give each label."""
        classes = int(max(self.labels.max(), self.averaged.max())) + 1
        return np.stack([(self.labels == label).sum(axis=0) for label in range(classes)])


@dataclass(frozen=True)
class _Panel:
    """The members, in the order of the networks."""

    members: Sequence[Judge]
    names: Sequence[str]
    agreement: int

    def clean(self, x: Array) -> Votes:
        """On clean inputs."""
        return Votes.of([probabilities(member.scores(x)) for member in self.members])

    def score_adversarial(self, x_adv: Array, x: Array, eps: float, norm: Norm) -> Votes:
        """On adversarial inputs."""
        scores = [member.scores_near(x_adv, x, eps, norm) for member in self.members]
        return Votes.of([probabilities(each) for each in scores])

    def row(
        self,
        at: AttackPoint | None,
        votes: Votes,
        truth: NDArray[np.int64],
        best: int,
        single: NDArray[np.bool_] | None = None,
    ) -> EnsembleRow:
        """The figures of one set of inputs; `single` [n] is given where the best member saw others."""
        averaged = votes.averaged == truth
        adaptive = single is not None
        single = votes.labels[best] == truth if single is None else single
        rejected, majority = votes.reject(self.agreement), votes.majority == truth
        fooled = ~rejected & ~majority
        return EnsembleRow(
            at=at,
            adaptive=adaptive,
            majority=proportion(majority),
            averaged=proportion(averaged),
            single=proportion(single),
            rejected=proportion(rejected),
            wrong_accepted=proportion(fooled),
            gain=compare_paired("averaged vote", self.names[best], averaged, single),
            rejection_gain=compare_paired("rejection", self.names[best], ~fooled, single),
        )


@dataclass(frozen=True)
class _Adaptive:
    """The attack on the whole ensemble, and on a member alone."""

    mixture: Mixture
    victims: Victims
    steps: int
    seed: int

    def perturb_members(self, surrogate: Surrogate, eps: float) -> Array:
        """[n, *shape], the victims inside the Linf ball."""
        attack = find_attack(_ADAPTIVE)(
            surrogate,
            norm="linf",
            seed=self.seed,
            batch=min(_BATCH, len(self.victims)),
            steps=self.steps,
        )
        return np.concatenate([found.x for (found,) in attack.perturb(self.victims, [eps])])


def _clean_accuracy(network: Network) -> float:
    """On the held-out data, as its export measured it; 0 if it did not."""
    artifacts = network.content.artifacts
    info = artifacts.get("int8.tflite") or artifacts["float.keras"]
    return (info.correct or 0) / info.evaluated if info.evaluated else 0.0


def _rows(
    panel: _Panel, gathered: Gathered, adaptive: _Adaptive, best: int, progress: Progress
) -> list[EnsembleRow]:
    """Clean inputs, every advset at every budget, then the adaptive attacks."""
    attacked, clean = gathered.require_attacks(), gathered.clean_inputs
    x, truth = clean.array("inputs.npy"), clean.truth
    budgets = sorted({point.eps for each in attacked for point, _ in each.points() if point.norm == "linf"})
    with progress.task("ensemble", 1 + len(attacked) + len(budgets)) as advance:
        votes = panel.clean(x)
        rows = [panel.row(None, votes, truth, best)]
        advance(1)
        for each in attacked:
            rows += _transfer(panel, each, best)
            advance(1)
        for eps in budgets:
            rows.append(_adapt(panel, adaptive, eps, best))
            advance(1)
    return rows


def _transfer(panel: _Panel, attacked: Attacked, best: int) -> Iterator[EnsembleRow]:
    x = attacked.array("inputs.npy")
    for point, result in attacked.points():
        votes = panel.score_adversarial(attacked.array(result.file), x, point.eps, point.norm)
        yield panel.row(point, votes, attacked.truth, best)


def _adapt(panel: _Panel, adaptive: _Adaptive, eps: float, best: int) -> EnsembleRow:
    at = AttackPoint(
        network=ENSEMBLE, attack=_ADAPTIVE, norm="linf", surrogate=adaptive.mixture.name, eps=eps
    )
    victims = adaptive.victims
    votes = panel.score_adversarial(adaptive.perturb_members(adaptive.mixture, eps), victims.x, eps, "linf")
    alone = adaptive.perturb_members(adaptive.mixture.members[best], eps)
    scores = panel.members[best].scores_near(alone, victims.x, eps, "linf")
    return panel.row(at, votes, victims.y, best, scores.argmax(axis=1) == victims.y)
