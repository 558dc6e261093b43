"""Attacks: they see a surrogate, or an oracle that they can only ask."""

from qbench.attacks.apgd import ApgdCe, ApgdDlr, ApgdTargeted
from qbench.attacks.base import Adversarials, Attack, Grid, Victims
from qbench.attacks.cw import Cw
from qbench.attacks.deepfool import DeepFool
from qbench.attacks.fab import FabT
from qbench.attacks.gradient import Bim, Fgsm, Mim, Pgd
from qbench.errors import unknown_name

ATTACKS: dict[str, type[Attack]] = {
    attack.name: attack
    for attack in (
        Fgsm,
        Bim,
        Mim,
        Pgd,
        ApgdCe,
        ApgdDlr,
        ApgdTargeted,
        DeepFool,
        Cw,
        FabT,
    )
}

__all__ = ["ATTACKS", "Adversarials", "Attack", "Grid", "Victims", "find_attack"]


def find_attack(name: str) -> type[Attack]:
    """The attack of that name.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    if name not in ATTACKS:
        raise unknown_name("attack", name, ATTACKS)
    return ATTACKS[name]
