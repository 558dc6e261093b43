"""Does an attack's result deserve belief? Signs that it does not, each with a line of explanation.

After Carlini et al., "On Evaluating Adversarial Robustness" (arXiv 1902.06705), section 5, and Athalye,
Carlini and Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Finding
from qbench.attacks.base import Attack, Victims
from qbench.attacks.ensemble import Ensemble
from qbench.attacks.gradient import Bim, Fgsm
from qbench.attacks.losses import margin
from qbench.attacks.norms import widest
from qbench.attacks.square import Square
from qbench.surrogate.base import Surrogate

EXPLANATIONS = {
    "unstable-outputs": "the same input gets other scores when asked again: queries chase noise",
    "probabilities": "the scores are probabilities: they saturate, and an attack sees plateaus",
    "zero-gradient": "the gradient vanishes altogether: the attack has no direction, which is no robustness",
    "queries-beat-gradient": "Square with 200 queries breaks what the attack left: gradients may be masked",
    "one-step-beats-many": "a single step breaks what the attack left: the loss surface misleads it",
    "unbounded-fails": "with the whole domain as the ball inputs still stand: the gradients are of no use",
    "more-steps-help": "twice the steps break what the attack left: it has not converged",
    "erased-by-rounding": "rounding to the integer network's input grid leaves nothing of the perturbation",
}
GUIDE = "docs/attacks.md"

# Inputs that a check looks at: enough to see what is wrong, few enough to cost little.
_SAMPLE = 32
_QUERIES = 200
_STEPS = 20
# The spread of sums of probabilities in steps of 1/256.
_SUM_TOLERANCE = 0.05

Array = NDArray[np.float32]


def before(attack: Attack, victims: Victims) -> list[Finding]:
    """What can be seen without the attack's results.

    Args:
        attack: the attack, as it will run.
        victims: all clean inputs; the first 32 are looked at.
    """
    part = victims.rows(0, _SAMPLE)
    scores = attack.score(part.x)
    found = [
        _finding("unstable-outputs", None, (attack.score(part.x) != scores).any(axis=1)),
        _finding("probabilities", None, _are_probabilities(scores)),
    ]
    if _follows_gradient(attack):
        found.append(_finding("zero-gradient", None, vanishing(attack.surrogate, part)))
        right = part.chosen(np.flatnonzero(scores.argmax(axis=1) == part.y))
        found.append(_finding("unbounded-fails", None, unbroken_without_bound(attack.surrogate, right)))
    return [each for each in found if each.count]


def after(
    attack: Attack,
    victims: Victims,
    eps: float,
    x_adv: Array,
    logits: Array,
    codes: Callable[[Array], NDArray[Any]] | None,
) -> list[Finding]:
    """What the results of one budget show.

    Args:
        attack: the attack that was run.
        victims: all clean inputs.
        eps: the budget.
        x_adv: [n, *shape], what the attack made of them.
        logits: [n, classes], of these.
        codes: rounds inputs to the integer network's grid; None if it has none.
    """
    found = []
    if codes is not None:
        found.append(_finding("erased-by-rounding", eps, _erased(victims, x_adv, codes)))
    stand = np.flatnonzero(~attack.goal.met(logits, victims.y))[:_SAMPLE]
    if _follows_gradient(attack) and len(stand):
        left = victims.chosen(stand)
        found += [
            _finding(name, eps, _broken(other, left, eps)) for name, other in _challengers(attack, len(left))
        ]
    return [each for each in found if each.count]


def _finding(check: str, eps: float | None, hits: NDArray[np.bool_]) -> Finding:
    return Finding(
        check=check,
        eps=eps,
        count=int(hits.sum()),
        total=len(hits),
        explanation=EXPLANATIONS[check],
        anchor=f"{GUIDE}#{check}",
    )


def _follows_gradient(attack: Attack) -> bool:
    """Ensembles have both kinds of members, which keep watch over each other."""
    return not (attack.asks or isinstance(attack, Ensemble))


def _are_probabilities(scores: Array) -> NDArray[np.bool_]:
    return np.asarray((scores >= 0).all(axis=1) & (np.abs(scores.sum(axis=1) - 1) < _SUM_TOLERANCE))


def vanishing(surrogate: Surrogate, part: Victims) -> NDArray[np.bool_]:
    """Where no element of the margin's gradient is other than zero, [n]."""
    import tensorflow as tf

    x = tf.constant(part.x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        height = margin(surrogate.logits(x), tf.constant(part.y))
    found = tape.gradient(height, x).numpy()
    return np.asarray((found == 0).reshape(len(part), -1).all(axis=1))


def unbroken_without_bound(surrogate: Surrogate, right: Victims) -> NDArray[np.bool_]:
    """Where an input [n], classified right when clean, stands with the whole domain as the ball."""
    if not len(right):
        return np.zeros(0, bool)
    domain = surrogate.domain
    eps = widest(domain.high - domain.low, right.x[0].size, "linf")
    return ~_broken(Bim(surrogate, norm="linf", steps=_STEPS, batch=len(right)), right, eps)


def _erased(victims: Victims, x_adv: Array, codes: Callable[[Array], NDArray[Any]]) -> NDArray[np.bool_]:
    """Of the inputs that the attack changed, those whose codes are the clean ones."""
    hits = []
    for start in range(0, len(victims), _SAMPLE * 8):
        x, changed = victims.x[start : start + _SAMPLE * 8], x_adv[start : start + _SAMPLE * 8]
        moved = (x != changed).reshape(len(x), -1).any(axis=1)
        same = (codes(x) == codes(changed)).reshape(len(x), -1).all(axis=1)
        hits.append(same[moved])
    return np.concatenate(hits)


def _challengers(attack: Attack, count: int) -> Iterator[tuple[str, Attack]]:
    """Attacks that should break nothing that the attack left, each under the name of its finding."""
    shared: dict[str, Any] = {
        "norm": attack.norm,
        "grid": attack.grid,
        "seed": attack.seed,
        "batch": count,
        "targeted": attack.goal.targeted,
    }
    if attack.norm in Square.norms:
        yield "queries-beat-gradient", Square(attack.surrogate, attack.score, budget=_QUERIES, **shared)
    settings = attack.settings.model_dump()
    if "steps" in settings:
        yield "one-step-beats-many", Fgsm(attack.surrogate, **shared)
        longer = {**settings, "steps": 2 * settings["steps"]}
        yield "more-steps-help", type(attack)(attack.surrogate, **shared, **longer)


def _broken(attack: Attack, left: Victims, eps: float) -> NDArray[np.bool_]:
    ((found,),) = attack.perturb(left, [eps])
    return attack.goal.met(found.logits, left.y)
