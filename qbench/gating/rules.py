"""The rules of the gate, and what they find."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import computed_field

from qbench.artifacts import EpsScores, Proportion, ReplayContent, RuntimeScores
from qbench.artifacts.base import Record
from qbench.artifacts.figures import Estimate
from qbench.errors import UserError
from qbench.gating.evidence import FLOAT, ReplayView
from qbench.reporting.cells import budget_phrase, eps_text
from qbench.runtimes import REFERENCE


class Verdict(Record):
    """What a rule found of one runtime, or of one pair of them.

    Attributes:
        rule: its name, that of its option.
        subject: a runtime, or two.
        inputs: which ones it looked at, in words.
        what: the figure, in words.
        unit: "%" for a share, "pp" for a difference of shares, "" for an area.
        inputs_counted: how many inputs the figure is of.
        value, low, high: the figure with its 95 % interval, as shares.
        side: whether the whole interval must lie above the bound or below it.
        bound: a share.
    """

    rule: str
    subject: str
    inputs: str
    what: str
    unit: Literal["%", "pp", ""] = "%"
    inputs_counted: int
    value: float
    low: float
    high: float
    side: Literal["above", "below"]
    bound: float

    @computed_field  # type: ignore[prop-decorator]
    @property
    def holds(self) -> bool:
        """Whether the bad end of the interval is on the right side of the bound."""
        return self.low >= self.bound if self.side == "above" else self.high <= self.bound

    @property
    def figure(self) -> str:
        """The value with its interval."""
        low, high = (self.text(each, ".2f").split()[0] for each in (self.low, self.high))
        return f"{self.text(self.value, '.2f')} [{low}, {high}]"

    def text(self, figure: float, form: str = "g") -> str:
        """A figure in the verdict's unit."""
        return f"{100 * figure:{form}} {self.unit}" if self.unit else f"{figure:{form}}"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def reason(self) -> str:
        """The figure, its interval, and the bound that it is held against."""
        worst = self.low if self.side == "above" else self.high
        end = "lower" if self.side == "above" else "upper"
        limit = "minimum" if self.side == "above" else "maximum"
        state = "keeps" if self.holds else "breaks"
        text = (
            f"{self.subject}, {self.inputs}: {self.what} {self.figure}: the {end} end, "
            f"{self.text(worst, '.2f')}, {state} the {limit} of {self.text(self.bound)}"
        )
        undecided = not self.holds and self.low < self.bound < self.high
        more = f" (the bound lies within the interval: {self.inputs_counted:,} inputs do not decide it)"
        return text + more if undecided else text


class Rule(Protocol):
    """Something that must hold of a replay."""

    def verdicts(self, replay: ReplayView) -> Iterator[Verdict]:
        """Judge every runtime, or every pair of them.

        Raises:
            UserError: the replay does not have what the rule looks at.
        """


@dataclass(frozen=True)
class MinRobustAccuracy:
    """Under attack, every runtime gets at least `bound` of all inputs right, at each budget."""

    bound: float
    eps: tuple[float, ...]

    def verdicts(self, replay: ReplayView) -> Iterator[Verdict]:
        """One for every budget and runtime."""
        for eps in self.eps:
            for each in replay.gated:
                share = _at(each, eps, replay.content).robust_accuracy
                yield Verdict(
                    **_interval(share),
                    inputs_counted=share.total,
                    rule="min-robust-accuracy",
                    subject=each.runtime.name,
                    inputs=_attacked(replay.content, eps),
                    what="robust accuracy",
                    side="above",
                    bound=self.bound,
                )


@dataclass(frozen=True)
class MinRobustAuc:
    """Under attack, the area under every runtime's ROC curve is at least `bound`, at each budget."""

    bound: float
    eps: tuple[float, ...]

    def verdicts(self, replay: ReplayView) -> Iterator[Verdict]:
        """One for every budget and runtime."""
        for eps in self.eps:
            for each in replay.gated:
                found = _at(each, eps, replay.content).detection
                if found is None or found.auc.value is None:
                    raise UserError(
                        f"{replay.path} has no area under a ROC curve",
                        cause="its network is no anomaly detector, or all its inputs have one label",
                        hint="bound its accuracy, with --min-robust-accuracy",
                    )
                yield Verdict(
                    **_interval(found.auc),
                    inputs_counted=found.auc.count,
                    rule="min-robust-auc",
                    subject=each.runtime.name,
                    inputs=_attacked(replay.content, eps),
                    what="AUC",
                    unit="",
                    side="above",
                    bound=self.bound,
                )


@dataclass(frozen=True)
class MaxCleanDrop:
    """No runtime loses more than `bound` of clean accuracy: since the baseline, or against float."""

    bound: float
    baseline: ReplayView | None

    def verdicts(self, replay: ReplayView) -> Iterator[Verdict]:
        """One for every runtime."""
        for each in replay.gated:
            name = each.runtime.name
            since, before = (replay, FLOAT) if self.baseline is None else (self.baseline, name)
            since.scores(before, "which the clean accuracy is held against")
            lost, paired = replay.accuracy_lost(name, since, before)
            against = "float" if self.baseline is None else "the baseline"
            yield Verdict(
                **_interval(lost),
                inputs_counted=each.clean_accuracy.total,
                rule="max-clean-drop",
                subject=name,
                inputs="clean",
                what=f"accuracy lost against {against} ({'paired' if paired else 'unpaired'})",
                unit="pp",
                side="below",
                bound=self.bound,
            )


@dataclass(frozen=True)
class MaxDisagreement:
    """No runtime labels more than `bound` of the inputs otherwise than the reference kernels do.

    Of the clean inputs, and of those at each budget; in a replay without the reference, any two runtimes.
    """

    bound: float
    eps: tuple[float, ...]

    def verdicts(self, replay: ReplayView) -> Iterator[Verdict]:
        """One for every pair of runtimes and set of inputs."""
        content = replay.content
        wanted = [None, *(_at(replay.gated[0], eps, content).eps for eps in self.eps)]
        names = [each.runtime.name for each in replay.gated]
        against = [REFERENCE] if REFERENCE in names else names
        if len(names) < 2:
            raise UserError(
                f"{replay.path} has one integer runtime, {names[0]}: there is none to disagree with",
                hint="replay on tflite-ref too",
            )
        pairs = [
            each
            for each in content.disagreements
            if each.eps in wanted
            and each.first in names
            and each.second in names
            and (each.first in against or each.second in against)
        ]
        for each in pairs:
            yield Verdict(
                **_interval(each.labels),
                inputs_counted=each.labels.total,
                rule="max-disagreement",
                subject=f"{each.first} and {each.second}",
                inputs="clean" if each.eps is None else _attacked(content, each.eps),
                what="other labels",
                side="below",
                bound=self.bound,
            )


def _interval(figure: Proportion | Estimate) -> dict[str, Any]:
    """A figure with its interval, as a verdict has them; a replay never takes one of nothing."""
    if figure.value is None or figure.low is None or figure.high is None:
        raise UserError("the replay holds no inputs to judge")
    return {"value": figure.value, "low": figure.low, "high": figure.high}


def _attacked(content: ReplayContent, eps: float) -> str:
    """The inputs at a budget, in words."""
    return f"{content.attack} at {budget_phrase(eps, content.data, content.norm)}"


def _at(scores: RuntimeScores, eps: float, content: ReplayContent) -> EpsScores:
    """The scores at a budget, as near as a person can write it.

    Raises:
        UserError: the replay has none at it.
    """
    for each in scores.by_eps:
        if math.isclose(each.eps, eps, rel_tol=1e-6):
            return each
    domain = content.data.domain
    there = ", ".join(eps_text(each, domain) for each in content.eps)
    raise UserError(
        f"the replay has no budget {eps_text(eps, domain)}",
        cause=f"it has {there}",
        hint="name one of these with --at, or attack at that budget",
    )
