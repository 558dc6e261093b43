"""Stage attack: a bundle and a data set into a folder of adversarial inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import (
    AdvsetContent,
    Artifact,
    BundleContent,
    Draft,
    EpsResult,
    Recipe,
    RecordFile,
    begin,
    load,
)
from qbench.attacks import Adversarials, Attack, Victims, find_attack
from qbench.attacks.budgets import check_eps
from qbench.attacks.norms import snap_to_grid
from qbench.data import Dataset, load_dataset
from qbench.errors import UserError
from qbench.progress import SILENT, Advance, Progress
from qbench.quant import Norm
from qbench.surrogate.keras import KerasSurrogate
from qbench.surrogate.scoring import Scorer

if TYPE_CHECKING:
    from collections.abc import Iterator

Grid = Literal["float", "uint8"]


def attack(
    bundle: str | Path,
    data: str | Dataset,
    out: str | Path,
    *,
    attack: str,
    eps: Sequence[float],
    norm: Norm = "linf",
    steps: int | None = None,
    step_size: float | None = None,
    restarts: int = 1,
    count: int = 1000,
    only_correct: bool = False,
    grid: Grid = "float",
    batch: int = 256,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
) -> Artifact[AdvsetContent]:
    """Make adversarial inputs against the float network of a bundle.

    The folder holds `inputs.npy` [count, *shape] float32 in the data's domain, `labels.npy` and `indices.npy`
    [count] int64, `logits-clean.npy` [count, classes] float32, and for budget i `eps-<i>.npy` and
    `logits-eps-<i>.npy` alike.

    Args:
        bundle: folder that `export` wrote.
        data: a data set, or what `load_dataset` takes; inputs are drawn from its test split.
        out: folder to write.
        attack: a name in `qbench.attacks.ATTACKS`.
        eps: budgets, in the unit of the data's domain.
        norm: of the ball.
        steps: gradient steps; the attack's own number if None.
        step_size: absolute; derived from eps and steps if None.
        restarts: random starts; the best result counts.
        count: how many inputs to draw, without replacement.
        only_correct: draw only inputs that the network classifies right, the protocol of Bernhard, Moellic
            and Dutertre (arXiv 1909.12741).
        grid: "uint8" keeps results on the pixel grid.
        batch: inputs a pass; changes memory, not results.
        seed: of the draw and of random starts.
        force: replace what `out` holds.
        progress: hears of every batch.

    Raises:
        UserError: a setting means nothing, the data does not fit the bundle, or the network gives NaN.
    """
    source = load(Path(bundle), "bundle")
    content: BundleContent = source.content
    dataset = load_dataset(data, progress=progress) if isinstance(data, str) else data
    _check_fit(content, dataset, progress)
    check_eps(eps, dataset.domain, norm, int(np.prod(content.data.input_shape)))
    _check_settings(step_size, grid, dataset)
    kind = find_attack(attack)
    recipe = Recipe(
        "advset",
        settings={
            "attack": attack,
            "eps": list(eps),
            "norm": norm,
            "steps": kind.default_steps if steps is None else steps,
            "step_size": step_size,
            "restarts": restarts,
            "count": count,
            "only_correct": only_correct,
            "grid": grid,
        },
        inputs={"bundle": source.manifest.key, "data": dataset.fingerprint},
        seed=seed,
    )
    started = begin(Path(out), recipe, force=force)
    if isinstance(started, Artifact):
        return started
    surrogate = KerasSurrogate.load(source.path / "float.keras", content.preprocessing, dataset.domain)
    scorer = Scorer(surrogate, batch)
    method = kind(
        surrogate, norm=norm, steps=steps, step_size=step_size, restarts=restarts, seed=seed, batch=batch
    )
    with started as draft:
        victims, clean = _draw(dataset, scorer, count, only_correct, seed, progress)
        _save_clean(draft, victims, clean)
        results = []
        with progress.task(attack, len(eps) * len(victims)) as advance:
            for i, each in enumerate(eps):
                found = _Finder(method, scorer, each, grid)
                results.append(_attack_one_eps(draft, found, victims, f"eps-{i}.npy", advance))
        return draft.commit(
            AdvsetContent(
                data=dataset.info,
                preprocessing=content.preprocessing,
                attack=attack,
                norm=norm,
                surrogate=surrogate.name,
                grid=grid,
                count=len(victims),
                clean_correct=int(np.sum(clean.argmax(axis=1) == victims.y)),
                results=tuple(results),
            )
        )


def _check_fit(bundle: BundleContent, dataset: Dataset, progress: Progress) -> None:
    """Refuse data that the bundle's network cannot take; say so if it is merely other data."""
    wanted, given = bundle.data, dataset.info
    for what in ("domain", "input_shape", "classes"):
        if getattr(wanted, what) != getattr(given, what):
            raise UserError(
                f"the data does not fit the bundle: its {what.replace('_', ' ')} is {getattr(given, what)}, "
                f"the bundle's {getattr(wanted, what)}",
                hint=f"the bundle was made with {wanted.name}",
            )
    if wanted.fingerprint != given.fingerprint:
        progress.note(f"the bundle was made with other data ({wanted.name}) than is attacked ({given.name})")


def _check_settings(step_size: float | None, grid: Grid, dataset: Dataset) -> None:
    if step_size is not None and not (np.isfinite(step_size) and step_size > 0):
        raise UserError(f"step size {step_size:g} is not a positive number")
    if grid == "uint8" and dataset.domain.name != "image":
        raise UserError(
            f"--grid uint8 is the grid of pixels; {dataset.name} holds {dataset.domain.name}",
            hint="leave --grid away: replay rounds to each runtime's own grid",
        )


def _draw(
    dataset: Dataset, scorer: Scorer, count: int, only_correct: bool, seed: int, progress: Progress
) -> tuple[Victims, NDArray[np.float32]]:
    """Seeded inputs of the test split without replacement, and their clean logits."""
    order = np.random.default_rng(seed).permutation(len(dataset.test))
    wanted = order if only_correct else order[:count]
    kept: list[NDArray[np.int64]] = []
    logits: list[NDArray[np.float32]] = []
    for rows in np.array_split(wanted, -(-len(wanted) // scorer.batch)):
        scores = scorer(dataset.inputs(dataset.test.x[rows]))
        chosen = np.ones(len(rows), bool)
        if only_correct:
            chosen = scores.argmax(axis=1) == dataset.test.y[rows]
        kept.append(rows[chosen])
        logits.append(scores[chosen])
        if sum(map(len, kept)) >= count:
            break
    indices = np.concatenate(kept)[:count]
    if not len(indices):
        raise UserError(
            "the network classifies no input right", hint="check its --input-range and the labels"
        )
    if len(indices) < count:
        progress.note(f"there are {len(indices):,} such inputs, not {count:,}: all are taken")
    victims = Victims(dataset.inputs(dataset.test.x[indices]), dataset.test.y[indices], indices)
    return victims, np.concatenate(logits)[:count]


def _save_clean(draft: Draft, victims: Victims, logits: NDArray[np.float32]) -> None:
    arrays: dict[str, NDArray[Any]] = {
        "inputs": victims.x,
        "labels": victims.y,
        "indices": victims.indices,
        "logits-clean": logits,
    }
    for name, array in arrays.items():
        np.save(draft.path / f"{name}.npy", array)


class _Finder:
    """An attack at one budget, its results on the grid that was asked for."""

    def __init__(self, method: Attack, scorer: Scorer, eps: float, grid: Grid) -> None:
        self.method, self.scorer, self.eps, self.grid = method, scorer, eps, grid

    def __call__(self, victims: Victims) -> Iterator[Adversarials]:
        start = 0
        for found in self.method.perturb(victims, self.eps):
            clean = victims.x[start : start + len(found.x)]
            start += len(clean)
            if self.grid == "float":
                yield found
            else:
                domain = self.method.surrogate.domain
                x = snap_to_grid(found.x, clean, domain, self.eps, self.method.norm)
                yield Adversarials(x, self.scorer(x))


def _attack_one_eps(draft: Draft, find: _Finder, victims: Victims, name: str, advance: Advance) -> EpsResult:
    """Attack what an interrupted run left, batch by batch, and score the whole."""
    classes = np.load(draft.path / "logits-clean.npy", mmap_mode="r").shape[1]
    inputs = RecordFile(draft.path / name, victims.x.shape, "float32")
    logits = RecordFile(draft.path / f"logits-{name}", (len(victims), classes), "float32")
    done = min(inputs.done, logits.done)
    inputs.keep(done)
    logits.keep(done)
    advance(done)
    for found in find(victims.rows(done, len(victims))):
        inputs.append(found.x)
        logits.append(found.logits)
        advance(len(found.x))
    axes = tuple(range(1, victims.x.ndim))
    return EpsResult(
        eps=find.eps,
        file=name,
        correct=int(np.sum(logits.read().argmax(axis=1) == victims.y)),
        unchanged=int(np.sum((inputs.read() == victims.x).all(axis=axes))),
    )
