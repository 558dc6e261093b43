"""The analyses of Bernhard, Moellic and Dutertre (arXiv 1909.12741), each over artefact folders.

Every analysis is one function `(inputs, out, **settings) -> Artifact[StudyContent]`: inputs are folders in
any order, `out` is the folder to write. `claims` takes study folders, the others bundles, the advsets made
against them, and replays of them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from inspect import signature
from typing import Any

from qbench.errors import unknown_name

ANALYSES: dict[str, str] = {
    "direct": "What each attack does to the network that it was made against.",
    "transfer": "Every network's adversarial inputs on every other network and runtime.",
    "masking": "Whether a network's gradients are masked, in plain words with the evidence.",
    "alignment": "How the input gradients of each pair of networks point.",
    "shift": "Layer by layer, what activation quantization does to a perturbation.",
    "ensemble": "Networks of different widths voting: transferred and adaptive attacks, cost.",
    "claims": "The paper's claims, each confirmed, refuted or undecided by the evidence.",
}


# What every analysis takes beside its options.
_COMMON = {"inputs", "out", "seed", "threads", "force", "progress"}


def find_analysis(name: str) -> Callable[..., Any]:
    """The function of that analysis.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    if name not in ANALYSES:
        raise unknown_name("analysis", name, ANALYSES)
    found: Callable[..., Any] = getattr(import_module(f"qbench.study.{name}"), name)
    return found


def study_options(name: str) -> tuple[str, ...]:
    """The options of an analysis beside those that all have.

    Raises:
        UserError: there is no such analysis.
    """
    return tuple(each for each in signature(find_analysis(name)).parameters if each not in _COMMON)


def is_seeded(name: str) -> bool:
    """Whether an analysis draws anything.

    Raises:
        UserError: there is no such analysis.
    """
    return "seed" in signature(find_analysis(name)).parameters
