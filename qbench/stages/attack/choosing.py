"""What an attack's options come to: the preset's part filled in, and all of it checked beforehand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import JsonValue

from qbench.artifacts import TaskInfo
from qbench.attacking.targets import parse_target
from qbench.attacks import ATTACKS, Attack, Grid, find_attack, find_preset
from qbench.attacks.base import Settings
from qbench.attacks.budgets import check_eps
from qbench.attacks.minimum import MinimumNormAttack
from qbench.attacks.norms import widest
from qbench.data import Dataset
from qbench.errors import UserError
from qbench.oracles import RuntimeOracle, described
from qbench.quant import Norm
from qbench.stages.attack.options import AttackOptions
from qbench.surrogate.registry import check_surrogate, usual_surrogate, usual_surrogates


@dataclass(frozen=True)
class Chosen:
    """An attack, decided.

    Attributes:
        name: as the user typed it: an attack's, or a preset's.
        kind: the attack.
        told: its own settings.
        target: the class to reach, as of `parse_target`; None if any but the true one will do.
    """

    name: str
    kind: type[Attack]
    told: Settings
    eps: tuple[float, ...]
    norm: Norm
    surrogates: tuple[str, ...]
    count: int
    batch: int
    only_correct: bool
    checks: bool
    target: str | None

    def settings(self, grid: Grid, oracle: RuntimeOracle | None) -> dict[str, JsonValue]:
        """All of it that the result depends on."""
        found: dict[str, Any] = {
            "attack": self.name,
            "eps": list(self.eps),
            "surrogate": ",".join(self.surrogates),
            "oracle": described(oracle) if oracle else None,
            "count": self.count,
            "only_correct": self.only_correct,
            "checks": self.checks,
            "norm": self.norm,
            "grid": grid,
            "batch": self.batch,
            **self.told.model_dump(mode="json"),
        }
        return found if self.target is None else {**found, "target": self.target}


def choose(options: AttackOptions, dataset: Dataset, artifacts: Collection[str], task: TaskInfo) -> Chosen:
    """Decide on an attack.

    Args:
        options: what the user said.
        dataset: that is attacked.
        artifacts: the bundle's files, of which surrogates are made.
        task: of the network.

    Raises:
        UserError: an option means nothing to the attack, or for this data.
    """
    preset = find_preset(options.attack).within(dataset.domain)
    kind = find_attack(preset.attack)
    told = kind.configure(**{**preset.settings, **(options.model_extra or {})})
    norm = kind.choose_norm(options.norm or preset.norm)
    kind.choose_goal(options.target is not None)
    if task.kind == "regression":
        _check_regression(kind, options)
    _check_oracle(kind, options.oracle or options.device)
    surrogates = _surrogates(kind, options.surrogate, artifacts)
    count = preset.count if options.count is None else options.count
    eps = _budgets(kind, options.eps or preset.eps, norm, dataset)
    check_eps(eps, dataset.domain, norm, int(np.prod(dataset.test.x.shape[1:])))
    return Chosen(
        name=options.attack,
        kind=kind,
        told=told,
        eps=eps,
        norm=norm,
        surrogates=surrogates,
        count=count,
        batch=min(options.batch, count, len(dataset.test)),
        only_correct=preset.only_correct if options.only_correct is None else options.only_correct,
        checks=options.checks and task.kind != "regression",
        target=None if options.target is None else parse_target(options.target, dataset.info.classes),
    )


def _surrogates(kind: type[Attack], named: str | None, artifacts: Collection[str]) -> tuple[str, ...]:
    """The surrogates that the user names, or the attack's usual ones.

    Raises:
        UserError: one is unknown, or several are named and the attack follows one.
    """
    if named is None:
        return usual_surrogates(artifacts) if kind.follows_several else (usual_surrogate(artifacts),)
    names = tuple(name.strip() for name in named.split(","))
    for name in names:
        check_surrogate(name)
    if len(set(names)) < len(names):
        raise UserError(f"--surrogate {named} names a surrogate twice")
    if len(names) > 1 and not kind.follows_several:
        able = ", ".join(name for name, attack in ATTACKS.items() if attack.follows_several)
        raise UserError(
            f"{kind.name} follows one surrogate; {named} names {len(names)}",
            hint=f"name one of them, or use {able}, which follows several",
        )
    return names


def _check_regression(kind: type[Attack], options: AttackOptions) -> None:
    """Refuse what has no meaning for values in place of labels."""
    if not kind.regresses:
        able = ", ".join(name for name, attack in ATTACKS.items() if attack.regresses)
        raise UserError(
            f"{kind.name} looks for another label, and a regression has none",
            hint=f"raise the error with {able}",
        )
    for given, option in ((options.target, "--target"), (options.only_correct, "--only-correct")):
        if given:
            raise UserError(
                f"{option} is about labels, and a regression has none",
                hint=f"leave {option} out: the attack makes the error as large as it can",
            )


def _check_oracle(kind: type[Attack], oracle: str | None) -> None:
    """Refuse an oracle for an attack that needs a gradient."""
    if oracle and not kind.asks:
        asking = ", ".join(name for name, attack in ATTACKS.items() if attack.asks)
        raise UserError(
            f"{kind.name} follows a gradient, which {oracle} does not have",
            hint=f"attack a surrogate and replay on {oracle}; or ask it, with {asking}",
        )


def _budgets(kind: type[Attack], eps: Sequence[float], norm: Norm, dataset: Dataset) -> tuple[float, ...]:
    """The budgets; where none is given, the whole domain for an attack that needs none."""
    if not eps and issubclass(kind, MinimumNormAttack):
        domain = dataset.domain
        return (widest(domain.high - domain.low, int(np.prod(dataset.test.x.shape[1:])), norm),)
    return tuple(eps)
