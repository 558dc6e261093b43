"""Attacks: they see a surrogate, or an oracle that they can only ask.

Another package adds its own, a subclass of `Attack`, as an entry point of the group `qbench.attacks`.
"""

from qbench.attacks.apgd import ApgdCe, ApgdDlr, ApgdTargeted
from qbench.attacks.base import Adversarials, Attack, Grid, Victims
from qbench.attacks.cw import Cw
from qbench.attacks.deepfool import DeepFool
from qbench.attacks.ensemble import AutoAttack, AutoAttackInt8
from qbench.attacks.estimation import Nes, Spsa
from qbench.attacks.fab import FabT
from qbench.attacks.gradient import Bim, Fgsm, Mim, Pgd
from qbench.attacks.hopskipjump import HopSkipJump
from qbench.attacks.lattice import Lattice
from qbench.attacks.local import LocalSearch
from qbench.attacks.presets import PRESETS, Preset
from qbench.attacks.square import Square
from qbench.attacks.zoo import Zoo
from qbench.errors import unknown_name
from qbench.registry import Registry

ATTACKS: Registry[type[Attack]] = Registry(
    "attack",
    "qbench.attacks",
    {
        attack.name: attack
        for attack in (
            Fgsm,
            Bim,
            Mim,
            Pgd,
            ApgdCe,
            ApgdDlr,
            ApgdTargeted,
            Lattice,
            DeepFool,
            Cw,
            FabT,
            Square,
            LocalSearch,
            Spsa,
            Nes,
            Zoo,
            HopSkipJump,
            AutoAttack,
            AutoAttackInt8,
        )
    },
)

__all__ = ["ATTACKS", "PRESETS", "Adversarials", "Attack", "Grid", "Victims", "find_attack", "find_preset"]


def find_attack(name: str) -> type[Attack]:
    """The attack of that name.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    return ATTACKS.load(name)


def find_preset(name: str) -> Preset:
    """The preset of that name; of an attack's name one that leaves everything open.

    Raises:
        UserError: there is neither; the nearest name is suggested.
    """
    if name in PRESETS:
        return PRESETS[name]
    if name.startswith("paper:"):
        raise unknown_name("attack", name, PRESETS)
    return Preset(find_attack(name).name, None, only_correct=False)
