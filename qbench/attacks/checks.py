"""Checks whether an attack's result is reliable; each finding has a one-line explanation.

After Carlini et al., "On Evaluating Adversarial Robustness" (arXiv 1902.06705), section 5, and Athalye,
Carlini and Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Finding
from qbench.attacks.base import Attack, Victims
from qbench.attacks.ensemble import Ensemble
from qbench.attacks.gradient import Bim, Fgsm
from qbench.attacks.losses import margin
from qbench.attacks.norms import differ, widest
from qbench.attacks.square import Square
from qbench.errors import QbenchError
from qbench.surrogate.base import Oracle, Surrogate
from qbench.surrogate.scoring import are_probabilities

if TYPE_CHECKING:
    import tensorflow as tf

EXPLANATIONS = {
    "unfinished": "the check could not run",
    "unstable-outputs": "repeated queries of one input return different scores: the attack follows noise",
    "probabilities": "the scores are probabilities, which saturate: the attack sees plateaus",
    "zero-gradient": "the gradient is zero in every element: the attack has no direction to follow",
    "non-finite-gradient": "gradient elements are NaN or infinite: they count as zero and stay unperturbed",
    "changed-nothing": "these inputs are unperturbed and still classified right: the attack found nothing",
    "no-start": "the attack found no input with another label to start from",
    "queries-beat-gradient": "Square with 200 queries fools inputs that the attack did not: "
    "gradients may be masked",
    "one-step-beats-many": "a single step fools inputs that the attack did not: many steps get stuck",
    "transfer-beats-queries": "BIM on the surrogate fools inputs that the queries did not",
    "square-beats-queries": "Square with 200 queries fools inputs that the attack did not",
    "more-queries-help": "twice the queries fool inputs that the attack did not: the budget is too small",
    "unbounded-fails": "inputs stay correct with the whole domain as the ball: the gradients are unusable",
    "more-steps-help": "twice the steps fool inputs that the attack did not: it has not converged",
    "erased-by-rounding": "rounding to the integer network's input grid removes the whole perturbation",
}
GUIDE = "docs/attacks.md"

# Inputs that a check looks at: enough to see what is wrong, few enough to cost little.
_SAMPLE = 32
_QUERIES = 200
# Those that an attack by queries is repeated on: each may cost twice its whole budget.
_FEW = 8
_STEPS = 20

Array = NDArray[np.float32]
Look = Callable[[], NDArray[np.bool_]]


def before(attack: Attack, victims: Victims) -> list[Finding]:
    """What can be seen without the attack's results.

    Args:
        attack: the attack, as it will run.
        victims: all clean inputs; the first 32 are looked at.
    """
    part = victims.rows(0, min(_SAMPLE, attack.batch))
    scores = cache(lambda: attack.score(part.x))
    looks: dict[str, Look] = {
        "unstable-outputs": lambda: (attack.score(part.x) != scores()).any(axis=1),
        "probabilities": lambda: are_probabilities(scores()),
    }
    if _follows_gradient(attack):
        slopes = cache(lambda: _slopes(attack.surrogate, part, attack.followed))
        right = cache(lambda: part.select(np.flatnonzero(scores().argmax(axis=1) == part.y)))
        looks |= {
            "zero-gradient": lambda: _vanish(slopes()),
            "non-finite-gradient": lambda: ~np.isfinite(slopes()).all(axis=1),
            "unbounded-fails": lambda: unbroken_without_bound(attack.surrogate, right()),
        }
    return _findings(looks, None)


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
    looks: dict[str, Look] = {}
    if codes is not None:
        looks["erased-by-rounding"] = lambda: _find_erased(victims, x_adv, codes)
    stand = np.flatnonzero(~attack.goal.met(logits, victims.y))
    unmoved = "no-start" if attack.needs_examples else "changed-nothing"
    looks[unmoved] = lambda: ~differ(x_adv[stand], victims.x[stand])
    if len(stand) and not isinstance(attack, Ensemble):  # whose members keep watch over each other
        challengers = _query_challengers if attack.asks else _gradient_challengers
        for name, other, count in challengers(attack, min(_SAMPLE, len(stand))):
            left = victims.select(stand[:count])
            looks[name] = partial(_find_broken, other, left, eps, attack.score if attack.asks else None)
    return _findings(looks, eps)


def _findings(looks: Mapping[str, Look], eps: float | None) -> list[Finding]:
    """Of those that found something; the work that they judge is done, so none of them may end it."""
    found = []
    for check, look in looks.items():
        try:
            hits = look()
        except QbenchError as error:
            found.append(_finding("unfinished", eps, np.ones(1, bool), f"{check} could not run: {error}"))
            continue
        if hits.any():
            found.append(_finding(check, eps, hits, EXPLANATIONS[check]))
    return found


def _finding(check: str, eps: float | None, hits: NDArray[np.bool_], explanation: str) -> Finding:
    return Finding(
        check=check,
        eps=eps,
        count=int(hits.sum()),
        total=len(hits),
        explanation=explanation,
        anchor=f"{GUIDE}#{check}",
    )


def _follows_gradient(attack: Attack) -> bool:
    """Ensembles have both kinds of members."""
    return not (attack.asks or isinstance(attack, Ensemble))


def find_vanishing(surrogate: Surrogate, part: Victims) -> NDArray[np.bool_]:
    """Where no element of the margin's gradient is other than zero, [n]."""
    return _vanish(_slopes(surrogate, part, margin))


def _vanish(slopes: Array) -> NDArray[np.bool_]:
    return np.asarray(((slopes == 0) | ~np.isfinite(slopes)).all(axis=1))


def _slopes(surrogate: Surrogate, part: Victims, loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> Array:
    """A loss's gradient, [n, elements]."""
    import tensorflow as tf

    x = tf.constant(part.x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        height = loss(surrogate.logits(x), tf.constant(part.y))
    found: Array = tape.gradient(height, x).numpy()
    return found.reshape(len(part), -1)


def unbroken_without_bound(surrogate: Surrogate, right: Victims) -> NDArray[np.bool_]:
    """Where an input [n], classified right when clean, stands with the whole domain as the ball."""
    if not len(right):
        return np.zeros(0, bool)
    domain = surrogate.domain
    eps = widest(domain.high - domain.low, right.x[0].size, "linf")
    return ~_find_broken(Bim(surrogate, norm="linf", steps=_STEPS, batch=len(right)), right, eps)


def _find_erased(victims: Victims, x_adv: Array, codes: Callable[[Array], NDArray[Any]]) -> NDArray[np.bool_]:
    """Of the inputs that the attack changed, those whose codes are the clean ones."""
    hits = []
    for start in range(0, len(victims), _SAMPLE * 8):
        x, changed = victims.x[start : start + _SAMPLE * 8], x_adv[start : start + _SAMPLE * 8]
        moved = differ(x, changed)
        hits.append(~differ(codes(x), codes(changed))[moved])
    return np.concatenate(hits)


def _gradient_challengers(attack: Attack, count: int) -> Iterator[tuple[str, Attack, int]]:
    """Attacks that should break nothing that one by gradient left: the finding, the attack, of how many."""
    shared = _shared(attack, count)
    if attack.norm in Square.norms:
        yield (
            "queries-beat-gradient",
            Square(attack.surrogate, attack.score, budget=_QUERIES, **shared),
            count,
        )
    settings = attack.settings.model_dump()
    if "steps" in settings:
        yield "one-step-beats-many", Fgsm(attack.surrogate, **shared), count
        longer = {**settings, "steps": 2 * settings["steps"]}
        yield "more-steps-help", type(attack)(attack.surrogate, **shared, **longer), count


def _query_challengers(attack: Attack, count: int) -> Iterator[tuple[str, Attack, int]]:
    """The same for one by queries."""
    shared = _shared(attack, count)
    yield "transfer-beats-queries", Bim(attack.surrogate, steps=_STEPS, **shared), count
    if attack.norm in Square.norms and not isinstance(attack, Square):
        yield "square-beats-queries", Square(attack.surrogate, attack.score, budget=_QUERIES, **shared), count
    settings = attack.settings.model_dump()
    longer = {name: 2 * settings[name] for name in {"budget", "steps"} & set(settings)}
    yield (
        "more-queries-help",
        type(attack)(attack.surrogate, attack.score, **shared, **{**settings, **longer}),
        _FEW,
    )


def _shared(attack: Attack, count: int) -> dict[str, Any]:
    return {
        "norm": attack.norm,
        "grid": attack.grid,
        "seed": attack.seed,
        "batch": count,
        "targeted": attack.goal.targeted,
    }


def _find_broken(attack: Attack, left: Victims, eps: float, judge: Oracle | None = None) -> NDArray[np.bool_]:
    """Where an attack reaches its goal, [n], in the eyes of a judge if it did not ask that one itself."""
    ((found,),) = attack.perturb(left, [eps])
    if judge is None or attack.asks:
        return attack.goal.met(found.logits, left.y)
    return attack.goal.met(judge(judge.as_replayed(found.x, left.x, eps, attack.norm)), left.y)
