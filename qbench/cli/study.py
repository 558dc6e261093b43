"""`qbench study`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from qbench.cli.common import FOLDER, run_stage, stage_options

_RUNTIMES = "On which TARGETS run, where they have its artefact; repeat for more."


@click.group(epilog="Example: qbench study transfer out/bundle-* out/pgd-* --out out/transfer")
def command() -> None:
    """Analyse networks and their adversarial inputs, as the study did that qbench began with.

    FOLDERS are bundles, the advsets made against them and replays of them, in any order, all of the same
    data; of `claims`, folders that the other analyses wrote.
    """


F = TypeVar("F", bound=Callable[..., Any])


def _folders(function: F) -> F:
    return click.argument("folders", nargs=-1, required=True, type=FOLDER)(function)


def _threads(function: F) -> F:
    option = click.option(
        "--threads", type=click.IntRange(1), help="Inputs computed side by side; all cores if not given."
    )
    return option(function)


def _count(default: int, text: str) -> Callable[[F], F]:
    return click.option("--count", type=click.IntRange(1), default=default, show_default=True, help=text)


def _steps(default: int) -> Callable[[F], F]:
    return click.option("--steps", type=click.IntRange(1), default=default, show_default=True, help="Of PGD.")


@command.command()
@_folders
@_count(1000, "Inputs of the paper's protocol, that the attacked network gets right.")
@stage_options
def direct(folders: tuple[Path, ...], out: Path, **options: Any) -> None:
    """Adversarial accuracy and the size of the successes, per network and attack."""
    _run("direct", folders, out, options)


@command.command()
@_folders
@click.option(
    "--runtime", "runtimes", multiple=True, default=["tflite-ref"], show_default=True, help=_RUNTIMES
)
@_threads
@stage_options
def transfer(folders: tuple[Path, ...], out: Path, seed: int, **options: Any) -> None:
    """Every network's adversarial inputs on every other network, and on every runtime of the same."""
    del seed  # nothing is drawn here
    _run("transfer", folders, out, options)


@command.command()
@_folders
@click.option("--eps", help="Linf budget, such as 8/255; the largest of the advsets if not given.")
@click.option("--surrogate", help="Whose gradient is judged; the one that fits each network if not given.")
@_steps(20)
@click.option(
    "--queries", type=click.IntRange(1), default=1000, show_default=True, help="Of Square and of SPSA."
)
@_count(128, "Inputs of each network.")
@stage_options
def masking(folders: tuple[Path, ...], out: Path, eps: str | None, **options: Any) -> None:
    """A verdict per network on whether its gradients are masked, with the evidence."""
    from qbench.attacks.budgets import parse_eps

    budget = None if eps is None else _one(parse_eps(eps))
    _run("masking", folders, out, {"eps": budget, **options})


@command.command()
@_folders
@click.option(
    "--surrogate", "surrogates", multiple=True, default=["float"], show_default=True, help="Whose gradients."
)
@_count(256, "Inputs.")
@stage_options
def alignment(folders: tuple[Path, ...], out: Path, **options: Any) -> None:
    """Cosine and sign agreement between the input gradients of each pair of networks."""
    _run("alignment", folders, out, options)


@command.command()
@_folders
@_count(64, "Inputs of each advset.")
@stage_options
def shift(folders: tuple[Path, ...], out: Path, **options: Any) -> None:
    """Layer by layer, what quantizing activations does to a perturbation."""
    _run("shift", folders, out, options)


@command.command()
@_folders
@click.option("--agreement", type=click.IntRange(2), help="Members that must agree; all if not given.")
@click.option("--surrogate", default="float", show_default=True, help="Whose gradients the attacker follows.")
@click.option("--runtime", default="tflite-ref", show_default=True, help="That members run on.")
@_steps(40)
@_count(256, "Inputs of the adaptive attack.")
@_threads
@stage_options
def ensemble(folders: tuple[Path, ...], out: Path, **options: Any) -> None:
    """Networks voting: against transferred and adaptive attacks, with rejection and cost."""
    _run("ensemble", folders, out, options)


@command.command()
@_folders
@stage_options
def claims(folders: tuple[Path, ...], out: Path, seed: int, **options: Any) -> None:
    """The paper's claims, each confirmed, refuted or undecided by what other studies found."""
    del seed  # nothing is drawn here
    _run("claims", folders, out, options)


def _one(budgets: tuple[float, ...]) -> float:
    if len(budgets) != 1:
        raise click.BadParameter("one budget is wanted here", param_hint="--eps")
    return budgets[0]


def _run(analysis: str, folders: tuple[Path, ...], out: Path, options: dict[str, Any]) -> None:
    from qbench.reporting.study_tables import study_tables
    from qbench.study import find_analysis

    run_stage(find_analysis(analysis), folders, out, tables=study_tables, **options)
