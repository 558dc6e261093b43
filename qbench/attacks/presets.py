"""The attacks of the study that qbench started from, with its exact settings, as data.

Bernhard, Moellic and Dutertre, "Impact of Low-bitwidth Quantization on the Adversarial Robustness for
Embedded Neural Networks" (arXiv 1909.12741), and the scripts that its authors published (CleverHans 3.0.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from qbench.artifacts import Domain
from qbench.quant import Norm


@dataclass(frozen=True)
class Preset:
    """An attack with everything that a study says about it.

    Attributes:
        attack: its name among the attacks.
        norm: of the ball, or of the distance that is minimized; None leaves it open.
        eps: budgets for inputs in [0, 1]; none where the attack looks for the smallest perturbation.
        settings: of the attack.
        count: how many inputs.
        only_correct: whether they are drawn from those that the attacked network classifies right.
    """

    attack: str
    norm: Norm | None
    eps: tuple[float, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    count: int = 1000
    only_correct: bool = True

    def within(self, domain: Domain) -> Preset:
        """The same for inputs in another domain than [0, 1]: what is absolute, in its unit."""
        width, settings = domain.high - domain.low, dict(self.settings)
        if "step_size" in settings:
            settings["step_size"] *= width
        return replace(self, eps=tuple(each * width for each in self.eps), settings=settings)


# In the study's transfers, the confidence of CW-L2 is 30. The study bounds no queries: the
# budgets here let every step happen.
_MINIMIZED = {"binary_search_steps": 10, "steps": 100, "learning_rate": 0.1, "initial_const": 0.5}

PRESETS: dict[str, Preset] = {
    "paper:fgsm": Preset("fgsm", "linf", (0.03,)),
    "paper:bim": Preset("bim", "linf", (0.03,), {"steps": 300, "step_size": 0.0003}),
    "paper:cw": Preset("cw", "l2", settings=_MINIMIZED),
    "paper:zoo": Preset("zoo", "l2", settings={**_MINIMIZED, "coordinates": 128, "budget": 300_000}),
    "paper:spsa": Preset(
        "spsa",
        "linf",
        (0.03,),
        {"steps": 100, "learning_rate": 0.01, "delta": 0.01, "samples": 128, "budget": 15_000},
        count=100,
    ),
}
