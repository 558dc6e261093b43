"""How long a task may take: good for the order of the work and a first idea, not for a promise.

Figures are of one core of a 2020s x86 machine, with a factor of a few either way.
"""

from __future__ import annotations

from typing import Any

from qbench import zoo
from qbench.attacks import find_attack, find_preset
from qbench.experiment.specification import AttackKeys, NetworkKeys
from qbench.studies import find_analysis

# An interpreter, TensorFlow, the data.
_START = 8.0

# Seconds of one input through the float network, in batches.
_PASS = {"digits-cnn": 3e-5, "dscnn": 1e-4}
_USUAL_PASS = 3e-4

# A gradient costs about two passes more than the scores.
_WITH_GRADIENT = 3

# Training inputs of known data sets, and of others.
_TRAIN = {"digits": 1437, "svhn": 73257}
_USUAL_TRAIN = 50_000

# Gradients an input of attacks that are made of others.
_ENSEMBLES = {"autoattack": 500, "autoattack-int8": 500}
# An emulated board against the float network.
_EMULATED = 1200


def train_seconds(network: NetworkKeys, data: str) -> float:
    """Of training it."""
    if network.model is None:
        return 0.0
    epochs = network.value("epochs") or zoo.find_network(network.model).recipe.epochs
    return _START + float(epochs) * _TRAIN.get(data, _USUAL_TRAIN) * _WITH_GRADIENT * _pass(network)


def export_seconds(network: NetworkKeys) -> float:
    """Of converting it and measuring its artefacts."""
    return 2 * _START + 50_000 * _pass(network)


def attack_seconds(network: NetworkKeys, attack: AttackKeys, count: int) -> float:
    """Of attacking it."""
    preset = find_preset(attack.method)
    kind = find_attack(preset.attack)
    told: dict[str, Any] = kind.configure(**{**preset.settings, **attack.settings}).model_dump()
    steps: float = told.get("steps") or _ENSEMBLES.get(kind.name, 1)
    queries: float | None = told.get("budget") if kind.asks else None
    passes = _WITH_GRADIENT * steps * told.get("restarts", 1) if queries is None else queries
    return _START + float(count * budgets(attack) * passes * _pass(network))


def replay_seconds(
    network: NetworkKeys, attack: AttackKeys, count: int, runtimes: int, *, board: bool
) -> float:
    """Of running clean and adversarial inputs on that many runtimes, or on a board."""
    cost = _EMULATED if board else runtimes
    return _START + count * (1 + budgets(attack)) * cost * _pass(network)


def report_seconds(replays: int) -> float:
    """Of drawing that many replays."""
    return 2.0 + replays


def study_seconds(analysis: str, networks: int, advsets: int) -> float:
    """Of an analysis over that many networks and advsets."""
    cost = find_analysis(analysis).cost
    return _START + networks * cost.network + networks * advsets * cost.advset


def budgets(attack: AttackKeys) -> int:
    """How many it has."""
    return len(attack.value("eps") or find_preset(attack.method).eps or (1.0,))


def _pass(network: NetworkKeys) -> float:
    return _PASS.get(network.model or "", _USUAL_PASS)
