"""Stage attack: a bundle and a data set into a folder of adversarial inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from qbench.artifacts import AdvsetContent, Artifact, BundleContent, Draft, Recipe, make
from qbench.attacking.drawing import draw, with_task
from qbench.attacking.examining import examine
from qbench.attacking.results import attack_all
from qbench.attacking.targets import add_examples, add_targets, display_name
from qbench.attacks import Attack, Grid
from qbench.data import Dataset, load_dataset
from qbench.errors import UserError
from qbench.inputs import InputGrid, input_grid
from qbench.oracles import RuntimeOracle, open_oracle
from qbench.places import cores
from qbench.progress import Progress
from qbench.runtimes.specs import grid_of
from qbench.stages.attack.choosing import Chosen, choose
from qbench.stages.attack.options import AttackOptions
from qbench.stages.base import stage
from qbench.stages.fitting import check_fit
from qbench.stages.lone import open_bundle
from qbench.surrogate.registry import open_surrogate
from qbench.tasks import task_of


@stage(AttackOptions)
def attack(
    bundle: str | Path, data: str | Dataset, out: str | Path, options: AttackOptions
) -> Artifact[AdvsetContent]:
    """Make adversarial inputs against a network of a bundle.

    The folder holds `inputs.npy` [count, *shape] float32 in the data's domain, `labels.npy` and `indices.npy`
    [count] int64, `logits-clean.npy` [count, classes] float32, and for budget i `eps-<i>.npy` and
    `logits-eps-<i>.npy` alike, and `queries-eps-<i>.npy` [count] int64; with a target, `targets.npy` [count]
    int64. Of a regression the logits are the values that the network gives, and the true ones lie in
    `values.npy`. An interrupted attack goes on behind its last whole batch.

    Args:
        bundle: folder that `export` wrote; or an integer `.tflite` or QDQ `.onnx` file, for which a folder is
            made and kept in the cache.
        data: a data set, or what `load_dataset` takes; inputs are drawn from its test split.
        out: folder to write.
        options: see below. Of a preset, the settings of a study, what it says of budgets, norm, count and
            settings holds where nothing else is given.

    Raises:
        UserError: a setting means nothing, the data does not fit the bundle, or the network gives NaN.
        EnvironmentLacks: the oracle is not there, or fails; finished batches are kept.
    """
    dataset = load_dataset(data, progress=options.progress) if isinstance(data, str) else data
    source = open_bundle(Path(bundle), dataset, options.progress)
    content = source.content
    dataset = dataset.adopt_names(content.data.classes)
    chosen = choose(options, dataset, content.artifacts, content.task)
    _check_data(content, dataset, options)
    with open_oracle(
        source.path,
        content,
        runtime=options.oracle,
        device=options.device,
        baud=options.baud,
        threads=options.threads or cores(),
    ) as asked:
        grid = options.grid or _own_grid(dataset, asked)
        _check_grid(grid, dataset)
        inputs = {"bundle": source.manifest.digest, "data": dataset.fingerprint}
        recipe = Recipe("advset", chosen.settings(grid, asked), inputs, options.seed)

        def write(draft: Draft) -> AdvsetContent:
            method = _build(chosen, source, dataset, asked, grid=grid, seed=options.seed)
            return _carry_out(draft, method, asked, dataset, source, options.progress)

        return make(out, recipe, write, force=options.force)


def _build(
    chosen: Chosen,
    bundle: Artifact[BundleContent],
    dataset: Dataset,
    oracle: RuntimeOracle | None,
    *,
    grid: Grid,
    seed: int,
) -> Attack:
    """The attack with its surrogates."""
    content = bundle.content
    followed, *others = (
        open_surrogate(name, bundle.path, content.preprocessing, dataset.domain, content.task)
        for name in chosen.surrogates
    )
    return chosen.kind(
        followed,
        oracle,
        norm=chosen.norm,
        grid=grid,
        batch=chosen.batch,
        seed=seed,
        targeted=chosen.target is not None,
        **({"others": others} if others else {}),
        **chosen.told.model_dump(),
    )


def _check_data(content: BundleContent, dataset: Dataset, options: AttackOptions) -> None:
    """Refuse data that do not fit the bundle, and tell what is otherwise than a user may expect."""
    check_fit(content.data, dataset.info, "the data")
    if content.data.fingerprint != dataset.fingerprint:
        made, given = content.data.name, dataset.name
        options.progress.note(f"the bundle was made with other data ({made}) than is attacked ({given})")
    if options.checks and content.task.kind == "regression":
        options.progress.note("the checks look at labels: a regression goes without them")


def _carry_out(
    draft: Draft,
    method: Attack,
    oracle: RuntimeOracle | None,
    dataset: Dataset,
    bundle: Artifact[BundleContent],
    progress: Progress,
) -> AdvsetContent:
    """Draw the inputs, attack them and look at the results; all as the draft's recipe says."""
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
    drawn = with_task(drawn, task_of(bundle.content.task), dataset, draft.path)
    if drawn.values is not None:
        method.maximize_error(drawn.values)
    target = told.get("target")
    if target is not None:
        score = method.score if method.needs_examples else None
        drawn = add_targets(drawn, target, draft.path, dataset, score, draft.recipe.seed)
    elif method.needs_examples:
        drawn = add_examples(drawn, dataset, method.score, draft.recipe.seed)
    results = attack_all(draft.path, method, told["eps"], drawn, progress)
    findings = None
    if told["checks"]:
        findings = examine(draft.path, method, results, drawn, _integer_grid(bundle), progress)
    return AdvsetContent(
        data=dataset.info,
        preprocessing=bundle.content.preprocessing,
        attack=display_name(told["attack"], target, dataset.info.classes),
        norm=told["norm"],
        surrogate=method.score.name,
        oracle=oracle.runtime.info if oracle else None,
        grid=told["grid"],
        count=len(drawn.victims),
        clean_correct=int(np.sum(drawn.labels(drawn.logits) == drawn.victims.y)),
        results=results,
        findings=findings,
        target=target,
        task=bundle.content.task,
        aimed=None if target is None else int(np.sum(drawn.targets != drawn.victims.y)),
    )


def _integer_grid(bundle: Artifact[BundleContent]) -> InputGrid | None:
    """The grid of the bundle's int8.tflite, of whatever type its input is."""
    integer = bundle.content.artifacts.get("int8.tflite")
    grid = None if integer is None else grid_of(bundle.path / "int8.tflite", integer.input)
    return None if grid is None else input_grid(grid, bundle.content.preprocessing)


def _own_grid(dataset: Dataset, oracle: RuntimeOracle | None) -> Grid:
    """The data's grid where the oracle takes its levels as they are, so that it sees what is stored."""
    domain = dataset.domain
    if oracle is None or domain.step is None or domain.name == "waveform":
        return "float"
    levels = np.arange(domain.low, domain.high + domain.step / 2, domain.step, np.float32)[:, None]
    taken = oracle.as_replayed(levels, levels, 0.0, "linf")
    return "uint8" if np.allclose(taken, levels, rtol=0, atol=1e-3 * domain.step) else "float"


def _check_grid(grid: Grid, dataset: Dataset) -> None:
    """Refuse a grid that the data does not have."""
    if grid == "uint8" and (dataset.domain.step is None or dataset.domain.name == "waveform"):
        raise UserError(
            f"--grid uint8 needs inputs on a grid; {dataset.name} holds real-valued {dataset.domain.name}",
            hint="leave --grid away: replay rounds to each runtime's own grid",
        )
