"""Stage attack: a bundle and a data set into a folder of adversarial inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
from qbench.attacks import Attack, Grid, Victims, find_attack
from qbench.attacks.budgets import check_eps
from qbench.data import Dataset, load_dataset
from qbench.errors import UserError
from qbench.progress import SILENT, Advance, Progress
from qbench.quant import Norm
from qbench.surrogate.keras import KerasSurrogate
from qbench.surrogate.scoring import Scorer


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
        batch: inputs a pass; results differ by it in float rounding at most, so it is part of the recipe.
        seed: of the draw and of random starts.
        force: replace what `out` holds.
        progress: hears of every batch.

    Raises:
        UserError: a setting means nothing, the data does not fit the bundle, or the network gives NaN.
    """
    source = load(Path(bundle), "bundle")
    content: BundleContent = source.content
    dataset = load_dataset(data, progress=progress) if isinstance(data, str) else data
    kind = find_attack(attack)
    kind.check_settings(steps=steps, step_size=step_size, restarts=restarts)
    _check_fit(content, dataset, progress)
    _check_settings(eps, norm, grid, count, batch, dataset)
    settings: dict[str, Any] = {
        "norm": norm,
        "steps": kind.default_steps if steps is None else steps,
        "step_size": step_size,
        "restarts": restarts,
        "grid": grid,
        "batch": min(batch, count, len(dataset.test)),
    }
    recipe = Recipe(
        "advset",
        settings={
            "attack": attack,
            "eps": list(eps),
            "count": count,
            "only_correct": only_correct,
            **settings,
        },
        inputs={"bundle": source.manifest.digest, "data": dataset.fingerprint},
        seed=seed,
    )
    started = begin(Path(out), recipe, force=force)
    if isinstance(started, Artifact):
        return started
    with started as draft:
        surrogate = KerasSurrogate.load(source.path / "float.keras", content.preprocessing, dataset.domain)
        method = kind(surrogate, **settings, seed=seed)
        victims, clean = _draw(dataset, method.score, count, only_correct, seed, progress)
        _save_clean(draft, victims, clean)
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
                results=_attack_all(draft, method, eps, victims, clean.shape[1], progress),
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


def _check_settings(
    eps: Sequence[float], norm: Norm, grid: Grid, count: int, batch: int, dataset: Dataset
) -> None:
    """Refuse settings that mean nothing for this data."""
    check_eps(eps, dataset.domain, norm, int(np.prod(dataset.test.x.shape[1:])))
    if count < 1 or batch < 1:
        raise UserError("count and batch must be at least 1")
    if grid == "uint8" and dataset.domain.step is None:
        raise UserError(
            f"--grid uint8 needs inputs on a grid; {dataset.name} holds real-valued {dataset.domain.name}",
            hint="leave --grid away: replay rounds to each runtime's own grid",
        )


def _draw(
    dataset: Dataset, score: Scorer, count: int, only_correct: bool, seed: int, progress: Progress
) -> tuple[Victims, NDArray[np.float32]]:
    """Seeded inputs of the test split without replacement, and their clean logits."""
    order = np.random.default_rng(seed).permutation(len(dataset.test))
    wanted = order if only_correct else order[:count]
    kept: list[NDArray[np.int64]] = []
    logits: list[NDArray[np.float32]] = []
    for start in range(0, len(wanted), score.batch):
        rows = wanted[start : start + score.batch]
        scores = score(dataset.inputs(dataset.test.x[rows]))
        chosen = scores.argmax(axis=1) == dataset.test.y[rows] if only_correct else np.ones(len(rows), bool)
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
        file = RecordFile(draft.path / f"{name}.npy", array.shape, str(array.dtype))
        file.keep(0)
        file.append(array)


def _attack_all(
    draft: Draft, method: Attack, eps: Sequence[float], victims: Victims, classes: int, progress: Progress
) -> tuple[EpsResult, ...]:
    """One result a budget."""
    shape = victims.x.shape
    results = []
    with progress.task(method.name, len(eps) * len(victims)) as advance:
        for i, each in enumerate(eps):
            inputs = RecordFile(draft.path / f"eps-{i}.npy", shape, "float32")
            logits = RecordFile(draft.path / f"logits-eps-{i}.npy", (len(victims), classes), "float32")
            _attack_rest(method, each, victims, inputs, logits, advance)
            same = (inputs.read() == victims.x).reshape(len(victims), -1).all(axis=1)
            results.append(
                EpsResult(
                    eps=each,
                    file=inputs.path.name,
                    correct=int(np.sum(logits.read().argmax(axis=1) == victims.y)),
                    unchanged=int(same.sum()),
                )
            )
    return tuple(results)


def _attack_rest(
    method: Attack, eps: float, victims: Victims, inputs: RecordFile, logits: RecordFile, advance: Advance
) -> None:
    """Attack what an interrupted run left, batch by batch."""
    done = min(inputs.done, logits.done)
    if done < len(victims):
        done -= done % method.batch  # the same batches give the same bytes
    inputs.keep(done)
    logits.keep(done)
    advance(done)
    for found in method.perturb(victims.rows(done, len(victims)), eps):
        inputs.append(found.x)
        logits.append(found.logits)
        advance(len(found.x))
