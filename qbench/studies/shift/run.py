"""Quantization value shift: what quantizing each layer's activations does to a perturbation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import EpsResult
from qbench.errors import UserError
from qbench.inputs import InputPath
from qbench.statistics import mean
from qbench.studies.base import Prepared
from qbench.studies.content import AttackPoint, StudyContent
from qbench.studies.gathering import Attacked, Gathered, Network
from qbench.studies.shift.content import LayerShift, ShiftProfile, ShiftStudy
from qbench.studies.shift.layers import LayerProbe
from qbench.studies.shift.options import ShiftOptions

_CHUNK = 16
_INPUT = ("INPUT", "input")


def prepare(inputs: Sequence[str | Path], options: ShiftOptions) -> Prepared:
    """Layer by layer, how a perturbation survives the quantization of activations.

    Bernhard, Moellic and Dutertre (arXiv 1909.12741) explain poor transfer by it: a perturbation
    vanishes or grows where activations are quantized. It is measured on the tensors of TFLite's reference
    kernels, the clean input beside the adversarial one. Every advset is looked at on every network with an
    integer artefact; of each the first `count` inputs.

    Args:
        inputs: bundles, and the advsets made against them.
        options: of the analysis.

    Raises:
        UserError: the inputs do not belong together, or no network has an integer artefact.
    """
    gathered = Gathered.read(inputs)
    attacked = gathered.require_attacks()
    targets = [network for network in gathered.networks if network.record.integer]
    if not targets:
        raise UserError(
            "no network here has an integer artefact whose layers could be looked at",
            hint="give a bundle with an int8.tflite",
        )

    def work() -> StudyContent:
        profiles: list[ShiftProfile] = []
        with options.progress.task("value shift", len(targets) * len(attacked)) as advance:
            for target in targets:
                probe = LayerProbe(target.bundle.path / "int8.tflite")
                for source in attacked:
                    profiles += _profiles(source, target, probe, options.count, options.seed)
                    advance(1)
        return gathered.content(options.count, ShiftStudy(profiles=tuple(profiles)))

    return Prepared(gathered.digests, gathered.names, options.settings(), work)


def _profiles(
    source: Attacked, target: Network, probe: LayerProbe, count: int, seed: int
) -> Iterator[ShiftProfile]:
    """One a budget."""
    for point, result in source.points():
        parts = [
            _measure(source, result, point, target, probe, slice(start, min(start + _CHUNK, count)))
            for start in range(0, min(count, len(source.truth)), _CHUNK)
        ]
        layers = [(-1, *_INPUT)] + [(each.index, each.operator, each.tensor) for each in probe.layers]
        yield ShiftProfile(
            at=point,
            target=target.name,
            layers=tuple(_layer(name, [part[i] for part in parts], seed) for i, name in enumerate(layers)),
        )


def _measure(
    source: Attacked,
    result: EpsResult,
    point: AttackPoint,
    target: Network,
    probe: LayerProbe,
    rows: slice,
) -> list[Shift]:
    """Of some inputs, the input's shift and that of every layer."""
    content = target.content
    x, x_adv = (np.asarray(source.array(name)[rows]) for name in ("inputs.npy", result.file))
    entry = content.artifacts["int8.tflite"].input
    path = InputPath.to(entry, entry.quantization or probe.inner_grid, content.preprocessing)
    fed = path.feed(x), path.feed_near(x_adv, x, point.eps, point.norm)
    reals = (content.preprocessing.apply(each) for each in (x, x_adv))
    rounded = (entry.quantization.dequantize(each) if entry.quantization else each for each in fed)
    own = Shift.between(*reals, *rounded)
    clean, attacked = probe.values(fed[0]), probe.values(fed[1])
    return [own] + [
        Shift.between(
            probe.real(layer, clean),
            probe.real(layer, attacked),
            clean[layer.output],
            attacked[layer.output],
        )
        for layer in probe.layers
    ]


@dataclass(frozen=True)
class Shift:
    """Of one layer, one value an input: [n] float64 each; see `LayerShift`. NaN where it has none."""

    changed: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    vanished: NDArray[np.float64]

    @classmethod
    def between(
        cls, real: NDArray[Any], real_adv: NDArray[Any], codes: NDArray[Any], codes_adv: NDArray[Any]
    ) -> Shift:
        """From a layer's values [n, ...] before and after quantization, of clean and adversarial inputs."""
        real, real_adv, codes, codes_adv = (
            each.reshape(len(each), -1).astype(np.float64) for each in (real, real_adv, codes, codes_adv)
        )
        moved, changed = real_adv != real, codes_adv != codes
        kept = (moved & ~changed).sum(axis=1)
        return cls(
            changed=changed.mean(axis=1),
            before=_relative(real_adv - real, real),
            after=_relative(codes_adv - codes, codes),
            vanished=_ratio(kept, moved.sum(axis=1)),
        )

    @property
    def growth(self) -> NDArray[np.float64]:
        """log2(after / before), where both are above zero."""
        both = (self.before > 0) & (self.after > 0)
        return np.log2(self.after[both] / self.before[both])


def _relative(delta: NDArray[np.float64], clean: NDArray[np.float64]) -> NDArray[np.float64]:
    return _ratio(np.linalg.norm(delta, axis=1), np.linalg.norm(clean, axis=1))


def _ratio(over: NDArray[Any], under: NDArray[Any]) -> NDArray[np.float64]:
    return np.divide(over, under, out=np.full(len(over), np.nan), where=under > 0)


def _layer(name: tuple[int, str, str], parts: Sequence[Shift], seed: int) -> LayerShift:
    """The figures of one layer over all inputs."""

    def estimate(of: str) -> Any:
        values = np.concatenate([getattr(part, of) for part in parts])
        return mean(values[~np.isnan(values)], seed)

    layer, operator, tensor = name
    figures = {of: estimate(of) for of in ("changed", "before", "after", "growth", "vanished")}
    return LayerShift(layer=layer, operator=operator, tensor=tensor, **figures)
