"""Adversarial inputs to look at: clean, what was added, and what came of it on every runtime."""

from __future__ import annotations

import base64
import wave
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import AdvsetContent, Artifact, Domain, ReplayContent
from qbench.frontends import WAKEWORD
from qbench.reporting.cells import budget_phrase

_EACH_BUDGET = 2
_MOST = 8


@dataclass(frozen=True)
class Answer:
    """What one runtime called an input, clean and adversarial."""

    runtime: str
    clean: str
    adversarial: str
    right: bool


@dataclass(frozen=True)
class Example:
    """One input.

    Attributes:
        eps: the budget, as people write it.
        index: in the advset.
        truth: the right label.
        clean, perturbation, adversarial: pictures, or sounds of a waveform, as data URIs of PNG or WAV; None
            of other inputs.
        sound: whether they are sounds.
        scale: what the perturbation was multiplied by before it was drawn on mid grey.
        answers: one for every runtime.
    """

    eps: str
    index: int
    truth: str
    clean: str | None
    perturbation: str | None
    adversarial: str | None
    scale: float
    answers: tuple[Answer, ...]
    sound: bool = False


@dataclass(frozen=True)
class Gallery:
    """Examples of one replay."""

    examples: tuple[Example, ...]


@dataclass(frozen=True)
class _Arrays:
    """What runtimes called the inputs, [count]: clean, and at each budget."""

    clean: dict[str, NDArray[np.int64]]
    by_eps: tuple[dict[str, NDArray[np.int64]], ...]
    truth: NDArray[np.int64]


def gallery(replay: Artifact[ReplayContent], advset: Artifact[AdvsetContent]) -> Gallery:
    """At each budget, first an input on which runtimes differ, then inputs that fool one.

    Args:
        replay: the folder with the outputs.
        advset: the folder with the inputs that it ran.
    """
    content = replay.content
    names = [each.runtime.name for each in content.scores]

    def labels(one: str) -> dict[str, NDArray[np.int64]]:
        files = {name: replay.path / content.scores_file(name, one) for name in names}
        return {name: np.load(file, mmap_mode="r").argmax(axis=1) for name, file in files.items()}

    found = _Arrays(
        labels("clean"),
        tuple(labels(f"eps-{i}") for i in range(len(content.eps))),
        np.load(advset.path / "labels.npy"),
    )
    inputs = np.load(advset.path / "inputs.npy", mmap_mode="r")
    examples: list[Example] = []
    for budget, result in enumerate(advset.content.results):
        attacked = np.load(advset.path / result.file, mmap_mode="r")
        for index in _worth_seeing(found, budget, {each.index for each in examples}):
            examples.append(_example(content, found, budget, index, inputs[index], attacked[index]))  # noqa: PERF401
    return Gallery(tuple(examples[:_MOST]))


def _worth_seeing(found: _Arrays, budget: int, seen: set[int]) -> list[int]:
    """Inputs that some runtime got right when clean and wrong now: one on which runtimes differ, then others.

    Those that were seen at a smaller budget come last.
    """
    clean = np.stack(list(found.clean.values()))
    now = np.stack(list(found.by_eps[budget].values()))
    fooled = ((clean == found.truth) & (now != found.truth)).any(axis=0)
    differ = fooled & (now != now[0]).any(axis=0)
    unseen = [each for each in np.flatnonzero(differ) if each not in seen]
    picked = [*unseen[:1], *np.flatnonzero(fooled & ~differ), *np.flatnonzero(differ)]
    return sorted(dict.fromkeys(map(int, picked)), key=lambda each: each in seen)[:_EACH_BUDGET]


def _example(
    content: ReplayContent,
    found: _Arrays,
    budget: int,
    index: int,
    clean: NDArray[np.float32],
    adversarial: NDArray[np.float32],
) -> Example:
    domain, classes = content.data.domain, content.data.classes
    change = adversarial - clean
    scale = _scale(change, domain)
    middle = (domain.low + domain.high) / 2
    shown = _sound if domain.name == "waveform" else _picture
    answers = tuple(
        Answer(
            runtime=name,
            clean=classes[found.clean[name][index]],
            adversarial=classes[labels[index]],
            right=bool(labels[index] == found.truth[index]),
        )
        for name, labels in found.by_eps[budget].items()
    )
    return Example(
        eps=budget_phrase(content.eps[budget], content.data, content.norm),
        index=index,
        truth=classes[found.truth[index]],
        clean=shown(clean, domain),
        perturbation=shown(middle + scale * change, domain),
        adversarial=shown(adversarial, domain),
        scale=scale,
        answers=answers,
        sound=domain.name == "waveform",
    )


def _scale(change: NDArray[np.float32], domain: Domain) -> float:
    """The round factor that makes a perturbation fill the domain, or nearly so."""
    largest = float(np.abs(change).max())
    if not largest:
        return 1.0
    factor = (domain.high - domain.low) / 2 / largest
    unit = 10.0 ** np.floor(np.log10(factor))
    return float(unit * max(step for step in (1, 2, 5) if step * unit <= factor * (1 + 1e-9)))


def _picture(x: NDArray[Any], domain: Domain) -> str | None:
    """A PNG of an input [height, width, 1 or 3] as a data URI; None of one that is no picture."""
    from PIL import Image

    if x.ndim != 3 or x.shape[-1] not in (1, 3):
        return None
    levels = np.clip((x - domain.low) / (domain.high - domain.low), 0, 1) * 255
    pixels = np.rint(levels).astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(pixels[..., 0] if x.shape[-1] == 1 else pixels).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _sound(x: NDArray[Any], domain: Domain) -> str | None:
    """A WAV of a waveform [samples] as a data URI, 16 bits at the rate of the front ends."""
    levels = np.rint(np.clip(x, domain.low, domain.high) * 2**15).astype("<i2")
    stream = BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(WAKEWORD.rate)
        file.writeframes(levels.tobytes())
    return "data:audio/wav;base64," + base64.b64encode(stream.getvalue()).decode()
