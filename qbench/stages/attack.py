"""Stage attack: a bundle and a data set into a folder of adversarial inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qbench.artifacts import AdvsetContent, Artifact, BundleContent, Recipe, begin, load
from qbench.attacking.drawing import draw
from qbench.attacking.results import attack_all
from qbench.attacks import Grid, find_attack
from qbench.attacks.budgets import check_eps
from qbench.data import Dataset, load_dataset
from qbench.errors import UserError
from qbench.progress import SILENT, Progress
from qbench.quant import Norm
from qbench.surrogate.keras import KerasSurrogate


def attack(
    bundle: str | Path,
    data: str | Dataset,
    out: str | Path,
    *,
    attack: str,
    eps: Sequence[float],
    norm: Norm | None = None,
    count: int = 1000,
    only_correct: bool = False,
    grid: Grid = "float",
    batch: int = 256,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
    **settings: Any,
) -> Artifact[AdvsetContent]:
    """Make adversarial inputs against the float network of a bundle.

    The folder holds `inputs.npy` [count, *shape] float32 in the data's domain, `labels.npy` and `indices.npy`
    [count] int64, `logits-clean.npy` [count, classes] float32, and for budget i `eps-<i>.npy` and
    `logits-eps-<i>.npy` alike, and `queries-eps-<i>.npy` [count] int64.

    Args:
        bundle: folder that `export` wrote.
        data: a data set, or what `load_dataset` takes; inputs are drawn from its test split.
        out: folder to write.
        attack: a name in `qbench.attacks.ATTACKS`.
        eps: budgets, in the unit of the data's domain.
        norm: of the ball; the attack's own if None.
        count: how many inputs to draw, without replacement.
        only_correct: draw only inputs that the network classifies right, the protocol of Bernhard, Moellic
            and Dutertre (arXiv 1909.12741).
        grid: "uint8" keeps results on the pixel grid.
        batch: inputs a pass; results differ by it in float rounding at most, so it is part of the recipe.
        seed: of the draw and of random starts.
        force: replace what `out` holds.
        progress: hears of every batch.
        settings: of the attack, as `qbench attacks` lists them; its own values where not given.

    Raises:
        UserError: a setting means nothing, the data does not fit the bundle, or the network gives NaN.
    """
    source = load(Path(bundle), "bundle")
    content: BundleContent = source.content
    dataset = load_dataset(data, progress=progress) if isinstance(data, str) else data
    kind = find_attack(attack)
    told = kind.configured(**settings)
    norm = kind.checked_norm(norm)
    _check_fit(content, dataset, progress)
    _check_settings(eps, norm, grid, count, batch, dataset)
    batch = min(batch, count, len(dataset.test))
    recipe = Recipe(
        "advset",
        settings={
            "attack": attack,
            "eps": list(eps),
            "norm": norm,
            "count": count,
            "only_correct": only_correct,
            "grid": grid,
            "batch": batch,
            **told.model_dump(mode="json"),
        },
        inputs={"bundle": source.manifest.digest, "data": dataset.fingerprint},
        seed=seed,
    )
    started = begin(Path(out), recipe, force=force)
    if isinstance(started, Artifact):
        return started
    with started as draft:
        surrogate = KerasSurrogate.load(source.path / "float.keras", content.preprocessing, dataset.domain)
        method = kind(surrogate, norm=norm, grid=grid, seed=seed, batch=batch, **settings)
        drawn = draw(
            dataset, method.score, count, draft.path, only_correct=only_correct, seed=seed, progress=progress
        )
        return draft.commit(
            AdvsetContent(
                data=dataset.info,
                preprocessing=content.preprocessing,
                attack=attack,
                norm=norm,
                surrogate=method.score.name,
                oracle=None,
                grid=grid,
                count=len(drawn.victims),
                clean_correct=int(np.sum(drawn.logits.argmax(axis=1) == drawn.victims.y)),
                results=attack_all(draft.path, method, eps, drawn, progress),
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
