import pytest

from qbench.attacks import find_attack
from qbench.attacks.base import BoundedAttack
from qbench.attacks.budgets import check_eps
from qbench.attacks.presets import PRESETS
from qbench.data import IMAGE


@pytest.mark.parametrize("name", PRESETS)
def test_the_attack_takes_what_the_preset_tells_it(name):
    preset = PRESETS[name]
    attack = find_attack(preset.attack)
    told = attack.configure(**preset.settings).model_dump()
    assert told.items() >= dict(preset.settings).items()
    assert attack.choose_norm(preset.norm) == preset.norm
    assert bool(preset.eps) == issubclass(attack, BoundedAttack)
    if preset.eps:
        check_eps(preset.eps, IMAGE, preset.norm, 3072)


def test_the_five_attacks_of_the_study():
    assert [name.removeprefix("paper:") for name in PRESETS] == ["fgsm", "bim", "cw", "zoo", "spsa"]
    assert {name: preset.count for name, preset in PRESETS.items() if preset.count != 1000} == {
        "paper:spsa": 100
    }
