"""The verdict of a report, in plain words with intervals."""

from __future__ import annotations

from qbench.artifacts import Proportion, ReplayContent, RuntimeScores
from qbench.reporting.tables import eps_text, percent

_FLOAT = "float"


def verdict(content: ReplayContent) -> list[str]:
    """What a replay says, in a few sentences: accuracy, the weakest runtime, disagreement, devices."""
    judged = [each for each in content.scores if each.runtime.name != _FLOAT] or list(content.scores)
    sentences = [_accuracy(content, judged), *_disagreement(content), *_devices(content)]
    return [each for each in sentences if each]


def _accuracy(content: ReplayContent, judged: list[RuntimeScores]) -> str:
    clean = min(judged, key=lambda each: each.clean_accuracy.value or 0)
    parts = []
    for i, eps in enumerate(content.eps):
        weakest = min(judged, key=lambda each, i=i: each.by_eps[i].robust_accuracy.value or 0)  # type: ignore[misc]
        share = weakest.by_eps[i].robust_accuracy
        parts.append(f"{_percent(share)} at {eps_text(eps, content.data.domain)} ({weakest.runtime.name})")
    what = "runtime" if len(judged) == 1 else f"weakest of {len(judged)} runtimes"
    return (
        f"On the {what}, {content.network} gets {_percent(clean.clean_accuracy)} of "
        f"{content.count:,} clean inputs right, and under {content.attack} ({content.norm}) {', '.join(parts)}."
    )


def _disagreement(content: ReplayContent) -> list[str]:
    pairs = [each for each in content.disagreements if _FLOAT not in (each.first, each.second)]
    if not pairs:
        return []
    worst = max(pairs, key=lambda each: each.labels.value or 0)
    if not worst.labels.count:
        return [
            f"All integer runtimes give every input the same label: at most "
            f"{100 * (worst.labels.high or 0):.1f} % of such inputs would differ."
        ]
    at = "on clean inputs" if worst.eps is None else f"at {eps_text(worst.eps, content.data.domain)}"
    return [
        f"Integer runtimes differ most {at}: {worst.first} and {worst.second} give "
        f"{_percent(worst.labels)} of the inputs different labels."
    ]


def _devices(content: ReplayContent) -> list[str]:
    found = []
    for each in content.devices:
        same = each.equal.count == each.equal.total
        share = "all" if same else f"{each.equal.count:,} of"
        found.append(
            f"{each.runtime} computes {share} {each.equal.total:,} outputs as TFLite's reference kernels do, "
            f"element by element."
        )
    return found


def _percent(share: Proportion) -> str:
    return percent(share).replace(" [", " % [")
