"""Stage check: a replay, judged by the rules of the release gate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import computed_field

from qbench.artifacts import Artifact, ReplayContent, load
from qbench.artifacts.base import Record
from qbench.errors import UserError
from qbench.gating.evidence import ReplayView
from qbench.gating.rules import (
    MaxCleanDrop,
    MaxDisagreement,
    MinRobustAccuracy,
    MinRobustAuc,
    Rule,
    Verdict,
)


class Gate(Record):
    """What the gate found.

    Attributes:
        replay, baseline: the keys of the folders that were compared.
        verdicts: of every rule, in the order of the rules.
    """

    replay: str
    baseline: str | None
    verdicts: tuple[Verdict, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def passed(self) -> bool:
        """Whether every verdict holds."""
        return all(each.holds for each in self.verdicts)


def check(
    replay: str | Path,
    *,
    min_robust_accuracy: float | None = None,
    min_robust_auc: float | None = None,
    at: Sequence[float] = (),
    max_clean_drop: float | None = None,
    max_disagreement: float | None = None,
    baseline: str | Path | None = None,
) -> Gate:
    """Judge every integer runtime of a replay by the bad end of its 95 % intervals.

    Args:
        replay: folder that `replay` wrote.
        min_robust_accuracy: least share of all inputs that is right under attack, at every budget of `at`.
        min_robust_auc: least area under the ROC curve of an anomaly detector under attack, likewise.
        at: budgets, in the data's own domain.
        max_clean_drop: most clean accuracy that may be lost, as a share: since the baseline, or else against
            the replay's `float` runtime.
        max_disagreement: largest share of inputs that a runtime may label otherwise than `tflite-ref`, or
            than any other if the replay does not have that: of the clean inputs, and those at every budget.
        baseline: an older replay of the same data, of the release that this one must not fall behind.

    Raises:
        UserError: no bound is given, one cannot fail or cannot hold, the folders do not have what a bound
            is about, or the baseline is of other data.
    """
    budgets = tuple(dict.fromkeys(at))
    for bound in (min_robust_accuracy, min_robust_auc, max_clean_drop, max_disagreement):
        _check_bound(bound)
    for what, bound in (("accuracy", min_robust_accuracy), ("AUC", min_robust_auc)):
        if bound is not None and not budgets:
            raise UserError(
                f"robust {what} is wanted, but not at which budget", hint="add one, as in --at 8/255"
            )
    found = load(Path(replay), "replay")
    older = None if baseline is None else _baseline(Path(baseline), found, max_clean_drop)
    rules: list[Rule] = []
    if min_robust_accuracy is not None:
        rules.append(MinRobustAccuracy(min_robust_accuracy, budgets))
    if min_robust_auc is not None:
        rules.append(MinRobustAuc(min_robust_auc, budgets))
    if max_clean_drop is not None:
        rules.append(MaxCleanDrop(max_clean_drop, ReplayView(older) if older else None))
    if max_disagreement is not None:
        rules.append(MaxDisagreement(max_disagreement, budgets))
    if not rules:
        raise UserError(
            "no bound is given, so there is nothing to check", hint="add one, as in --max-clean-drop 1pp"
        )
    evidence = ReplayView(found)
    return Gate(
        replay=found.manifest.key,
        baseline=older.manifest.key if older else None,
        verdicts=tuple(verdict for rule in rules for verdict in rule.verdicts(evidence)),
    )


def _check_bound(bound: float | None) -> None:
    """Refuse a bound that an interval's end can only ever keep, or only ever break."""
    if bound is not None and not 0 < bound < 1:
        raise UserError(
            f"a bound of {100 * bound:g} % must lie between 0 and 100 %",
            hint="choose one between 0 % and 100 %, both excluded",
        )


def _baseline(
    path: Path, replay: Artifact[ReplayContent], max_clean_drop: float | None
) -> Artifact[ReplayContent]:
    """The older replay, if it can be compared with the newer one."""
    older = load(path, "replay")
    if max_clean_drop is None:
        raise UserError(
            "a baseline is given, and no bound compares with it", hint="add one, as in --max-clean-drop 1pp"
        )
    old, new = older.content.data, replay.content.data
    if old != new:
        raise UserError(
            "the baseline is of other data: its accuracy says nothing about this replay",
            cause=f"{old.name} ({old.fingerprint[:12]}) is not {new.name} ({new.fingerprint[:12]})",
            hint="replay the older bundle on the same data",
        )
    return older
