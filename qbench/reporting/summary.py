"""The verdict of a report, in plain words with intervals."""

from __future__ import annotations

from collections.abc import Callable

from qbench.artifacts import EpsScores, Estimate, Proportion, ReplayContent, RuntimeScores
from qbench.reporting.cells import Table, budget_phrase, budget_text, percent
from qbench.reporting.task_tables import auc_text

_FLOAT = "float"
_HALF = 0.5
_MANY = 3


def judged_runtimes(content: ReplayContent) -> list[RuntimeScores]:
    """The runtimes that a verdict is about: the integer ones, if there are any."""
    return [each for each in content.scores if each.runtime.name != _FLOAT] or list(content.scores)


def sentences(content: ReplayContent) -> tuple[str, ...]:
    """What a replay says, each claim with its interval: robustness, disagreement, devices."""
    return (_standing(content), *_detection(content), *_disagreement(content), *_devices(content))


def weakest_table(content: ReplayContent) -> Table:
    """The least accurate runtime, clean and at every budget."""
    rows = [("clean", *_weakest(content, lambda each: each.clean_accuracy))]
    for i, eps in enumerate(content.eps):
        found = _weakest(content, lambda each, i=i: each.by_eps[i].robust_accuracy)  # type: ignore[misc]
        rows.append((budget_text(eps, content.data, content.norm), *found))
    title = f"Accuracy of the weakest runtime, {content.count:,} inputs of {content.data.name}"
    return Table(title, ("eps", "runtime", "accuracy %"), tuple(rows), keys=2)


def _weakest(content: ReplayContent, of: Callable[[RuntimeScores], Proportion]) -> tuple[str, str]:
    """Whose share is the least, and how large it is."""
    runtimes = judged_runtimes(content)
    least = min((of(each) for each in runtimes), key=lambda share: share.count)
    names = [each.runtime.name for each in runtimes if of(each).count == least.count]
    everyone = len(names) == len(runtimes) > 1
    some = " and ".join(names) if len(names) < _MANY else f"{names[0]} and {len(names) - 1} more"
    return f"all {len(names)}" if everyone else some, percent(least)


def _standing(content: ReplayContent) -> str:
    """Up to which budget more than half of the inputs are right, and from which on fewer are."""
    runtimes = judged_runtimes(content)
    more: list[str] = []
    fewer = None
    for i, eps in enumerate(content.eps):
        least = min((each.by_eps[i].robust_accuracy for each in runtimes), key=lambda share: share.count)
        where = f"{budget_phrase(eps, content.data, content.norm)} ({_percent(least)})"
        if (least.low or 0) > _HALF and len(more) == i:
            more.append(where)
        if fewer is None and (least.high or 0) < _HALF:
            fewer = where
    who = "the weakest runtime" if len(runtimes) > 1 else runtimes[0].runtime.name
    up_to = f"up to {more[-1]} {who} gets more than half of all inputs right" if more else ""
    subject = "it" if more else who
    inputs = "them" if more else "all inputs"
    then = f"from {fewer} on {subject} gets fewer than half of {inputs} right" if fewer else ""
    said = ", and ".join(filter(None, (up_to, then)))
    nothing = f"at no budget is it decided whether {who} gets half of all inputs right"
    return f"Under {content.attack} ({content.norm}), {said or nothing}."


def _detection(content: ReplayContent) -> list[str]:
    """How the area under the ROC curve falls, of the runtime that ends lowest."""
    runtimes = [each for each in judged_runtimes(content) if each.detection and each.by_eps[-1].detection]
    if not runtimes:
        return []

    def area(scores: RuntimeScores | EpsScores) -> Estimate:
        assert scores.detection is not None  # noqa: S101 - all have it, or none
        return scores.detection.auc

    least = min(runtimes, key=lambda each: area(each.by_eps[-1]).value or 0)
    at = budget_phrase(content.eps[-1], content.data, content.norm)
    return [
        f"The area under the ROC curve of {least.runtime.name} is {auc_text(area(least))} clean and "
        f"{auc_text(area(least.by_eps[-1]))} at {at}, where 0.5 is guessing."
    ]


def _disagreement(content: ReplayContent) -> list[str]:
    pairs = [each for each in content.disagreements if _FLOAT not in (each.first, each.second)]
    if not pairs:
        return []
    worst = max(pairs, key=lambda each: each.labels.value or 0)
    if not worst.labels.count:
        high = 100 * (worst.labels.high or 0)
        return [
            "All integer runtimes give every input the same label; with "
            f"{worst.labels.total:,} inputs, up to {high:.1f} % of others may differ."
        ]
    at = "on clean inputs"
    if worst.eps is not None:
        at = f"at {budget_phrase(worst.eps, content.data, content.norm)}"
    return [
        f"Integer runtimes differ most {at}: {worst.first} and {worst.second} give "
        f"{_percent(worst.labels)} of the inputs different labels."
    ]


def _devices(content: ReplayContent) -> list[str]:
    found = []
    for each in content.devices:
        equal, total = each.equal.count, each.equal.total
        share = f"all {total:,} inputs" if equal == total else f"{equal:,} of {total:,} inputs"
        found.append(
            f"{each.runtime} answers {share}, clean and adversarial, as TFLite's reference kernels do, "
            "element by element."
        )
    return found


def _percent(share: Proportion) -> str:
    return percent(share).replace(" [", " % [")
