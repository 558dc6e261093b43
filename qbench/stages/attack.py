"""Stage attack: a bundle and a data set into a folder of adversarial inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qbench.artifacts import AdvsetContent, Artifact, BundleContent, Draft, Recipe, begin
from qbench.attacking.aiming import aimed, checked_target, contrasted, titled
from qbench.attacking.drawing import draw
from qbench.attacking.examining import examine
from qbench.attacking.results import attack_all
from qbench.attacks import ATTACKS, Attack, Grid, find_attack, find_preset
from qbench.attacks.budgets import check_eps
from qbench.attacks.minimum import MinimumNormAttack
from qbench.attacks.norms import widest
from qbench.data import Dataset, load_dataset
from qbench.errors import UserError
from qbench.oracles import RuntimeOracle, described, opened_oracle
from qbench.places import cores
from qbench.progress import SILENT, Progress
from qbench.quant import Norm
from qbench.stages.fitting import check_fit
from qbench.stages.lone import open_bundle
from qbench.surrogate.registry import check_surrogate, open_surrogate, usual_surrogate


def attack(
    bundle: str | Path,
    data: str | Dataset,
    out: str | Path,
    *,
    attack: str,
    eps: Sequence[float] | None = None,
    norm: Norm | None = None,
    surrogate: str | None = None,
    oracle: str | None = None,
    device: str | None = None,
    baud: int | None = None,
    threads: int | None = None,
    count: int | None = None,
    only_correct: bool | None = None,
    grid: Grid | None = None,
    batch: int = 256,
    target: str | int | None = None,
    checks: bool = True,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
    **settings: Any,
) -> Artifact[AdvsetContent]:
    """Make adversarial inputs against a network of a bundle.

    The folder holds `inputs.npy` [count, *shape] float32 in the data's domain, `labels.npy` and `indices.npy`
    [count] int64, `logits-clean.npy` [count, classes] float32, and for budget i `eps-<i>.npy` and
    `logits-eps-<i>.npy` alike, and `queries-eps-<i>.npy` [count] int64. An interrupted attack goes on behind
    its last whole batch.

    Args:
        bundle: folder that `export` wrote; or an integer `.tflite` or QDQ `.onnx` file, for which a folder is
            made and kept in the cache.
        data: a data set, or what `load_dataset` takes; inputs are drawn from its test split.
        out: folder to write.
        attack: a name in `qbench.attacks.ATTACKS`, or one of `PRESETS`, the settings of a study: what it
            says of budgets, norm, count and settings holds where nothing else is given.
        eps: budgets, in the unit of the data's domain; may be left away for an attack that looks for the
            smallest perturbation, which then gets the whole domain.
        norm: of the ball; the attack's own if None.
        surrogate: whose gradient is followed: "float", or "lifted:<rule>", the integer network itself; the
            float network if None, and "lifted:clipped-ste" where there is none.
        oracle: a runtime that is attacked by queries; None attacks the surrogate, by queries or not.
        device: the same, at a port or `qemu:BOARD`.
        baud: of a serial line; the firmware's default if None.
        threads: inputs that an oracle computes side by side; all cores if None.
        count: how many inputs to draw, without replacement; 1,000 if None.
        only_correct: draw only inputs that the attacked network classifies right, the protocol of Bernhard,
            Moellic and Dutertre (arXiv 1909.12741); not, if None.
        grid: "uint8" keeps results on the pixel grid. If None, it does where an oracle has the same grid.
        batch: inputs a pass; results differ by it in float rounding at most, so it is part of the recipe.
        target: the class to reach, by name or number, or "least-likely", what the network says of each clean
            input; any class but the true one if None. The folder then holds `targets.npy` [count] int64, too.
        checks: look for signs that the result deserves no belief (`qbench.attacks.checks`).
        seed: of the draw, and of all random numbers of the attack.
        force: replace what `out` holds.
        progress: hears of every batch.
        settings: of the attack, as `qbench attacks` lists them; its own values where not given.

    Raises:
        UserError: a setting means nothing, the data does not fit the bundle, or the network gives NaN.
        EnvironmentLacks: the oracle is not there, or fails; finished batches are kept.
    """
    dataset = load_dataset(data, progress=progress) if isinstance(data, str) else data
    source = open_bundle(Path(bundle), dataset, progress)
    content = source.content
    surrogate = surrogate or usual_surrogate(content.artifacts)
    preset = find_preset(attack).within(dataset.domain)
    kind = find_attack(preset.attack)
    told = kind.configured(**{**preset.settings, **settings})
    norm = kind.checked_norm(norm or preset.norm)
    count = preset.count if count is None else count
    only_correct = preset.only_correct if only_correct is None else only_correct
    kind.checked_goal(target is not None)
    _check_oracle(kind, oracle or device)
    check_fit(content.data, dataset.info, "the data")
    if content.data.fingerprint != dataset.fingerprint:
        progress.note(
            f"the bundle was made with other data ({content.data.name}) than is attacked ({dataset.name})"
        )
    check_surrogate(surrogate)
    aim = {} if target is None else {"target": checked_target(target, dataset.info.classes)}
    with opened_oracle(
        source.path, content, runtime=oracle, device=device, baud=baud, threads=threads or cores()
    ) as asked:
        budgets = _budgets(kind, eps or preset.eps, norm, dataset)
        shared: dict[str, Any] = {
            "norm": norm,
            "grid": grid or _own_grid(dataset, asked),
            "batch": min(batch, count, len(dataset.test)),
        }
        _check_settings(budgets, norm, shared["grid"], count, batch, dataset)
        chosen: dict[str, Any] = {
            "attack": attack,
            "eps": list(budgets),
            "surrogate": surrogate,
            "oracle": described(asked) if asked else None,
            "count": count,
            "only_correct": only_correct,
            "checks": checks,
            **aim,
        }
        inputs = {"bundle": source.manifest.digest, "data": dataset.fingerprint}
        recipe = Recipe("advset", {**chosen, **shared, **told.model_dump(mode="json")}, inputs, seed)
        started = begin(Path(out), recipe, force=force)
        if isinstance(started, Artifact):
            return started
        with started as draft:
            followed = open_surrogate(surrogate, source.path, content.preprocessing, dataset.domain)
            method = kind(followed, asked, seed=seed, targeted=bool(aim), **shared, **told.model_dump())
            return _carried_out(draft, method, asked, dataset, content, progress)


def _carried_out(
    draft: Draft,
    method: Attack,
    oracle: RuntimeOracle | None,
    dataset: Dataset,
    bundle: BundleContent,
    progress: Progress,
) -> Artifact[AdvsetContent]:
    """Draw the inputs, attack them, look at the results, and finish the folder; all as its recipe says."""
    told: dict[str, Any] = draft.recipe.settings
    drawn = draw(
        dataset,
        method.score,
        told["count"],
        draft.path,
        only_correct=told["only_correct"],
        seed=draft.recipe.seed,
        progress=progress,
    )
    target = told.get("target")
    if target is not None:
        score = method.score if method.needs_examples else None
        drawn = aimed(drawn, target, draft.path, dataset, score, draft.recipe.seed)
    elif method.needs_examples:
        drawn = contrasted(drawn, dataset, method.score, draft.recipe.seed)
    results = attack_all(draft.path, method, told["eps"], drawn, progress)
    findings = examine(draft.path, method, results, drawn, bundle, progress) if told["checks"] else None
    return draft.commit(
        AdvsetContent(
            data=dataset.info,
            preprocessing=bundle.preprocessing,
            attack=titled(told["attack"], target, dataset.info.classes),
            norm=told["norm"],
            surrogate=method.score.name,
            oracle=oracle.runtime.info if oracle else None,
            grid=told["grid"],
            count=len(drawn.victims),
            clean_correct=int(np.sum(drawn.logits.argmax(axis=1) == drawn.victims.y)),
            results=results,
            findings=findings,
            target=target,
            aimed=None if target is None else int(np.sum(drawn.targets != drawn.victims.y)),
        )
    )


def _check_oracle(kind: type[Attack], oracle: str | None) -> None:
    """Refuse an oracle for an attack that needs a gradient."""
    if oracle and not kind.asks:
        asking = ", ".join(name for name, attack in ATTACKS.items() if attack.asks)
        raise UserError(
            f"{kind.name} follows a gradient, which {oracle} does not have",
            hint=f"attack a surrogate and replay on {oracle}; or ask it, with {asking}",
        )


def _budgets(kind: type[Attack], eps: Sequence[float], norm: Norm, dataset: Dataset) -> tuple[float, ...]:
    """The budgets; where none is given, the whole domain for an attack that needs none."""
    if not eps and issubclass(kind, MinimumNormAttack):
        domain = dataset.domain
        return (widest(domain.high - domain.low, int(np.prod(dataset.test.x.shape[1:])), norm),)
    return tuple(eps)


def _own_grid(dataset: Dataset, oracle: RuntimeOracle | None) -> Grid:
    """The data's grid where the oracle takes its levels as they are, so that it sees what is stored."""
    domain = dataset.domain
    if oracle is None or domain.step is None:
        return "float"
    levels = np.arange(domain.low, domain.high + domain.step / 2, domain.step, np.float32)[:, None]
    taken = oracle.as_replayed(levels, levels, 0.0, "linf")
    return "uint8" if np.allclose(taken, levels, rtol=0, atol=1e-3 * domain.step) else "float"


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
