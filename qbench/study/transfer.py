"""Transfer: adversarial inputs of every network on every other, and on every runtime of the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import JsonValue

from qbench.artifacts import Artifact, StudyContent
from qbench.artifacts.studies import TransferCell, TransferStudy
from qbench.places import cores
from qbench.progress import SILENT, Progress
from qbench.statistics import proportion
from qbench.study.gathering import Attacked, Gathered, Network
from qbench.study.judging import REFERENCE, Judge, judges, versions
from qbench.study.recording import recorded


def transfer(
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    runtimes: Sequence[str] = (REFERENCE,),
    threads: int | None = None,
    missing: Sequence[str] = (),
    force: bool = False,
    progress: Progress = SILENT,
) -> Artifact[StudyContent]:
    """The transfer matrix, on inputs that the attacked network and the target both get right when clean.

    After Bernhard, Moellic and Dutertre (arXiv 1909.12741). A target runs on each of `runtimes`
    that it has the artefact of, else as its Keras network; inputs are rounded to the runtime's grid inside
    the eps-ball.

    Args:
        inputs: bundles, and the advsets made against them.
        out: folder to write.
        runtimes: names in `qbench.runtimes.RUNTIMES`.
        threads: inputs computed side by side, never changing a result; all cores if None.
        missing: what should have been among the inputs and could not be made.
        force: replace what `out` holds.
        progress: hears of every advset on every target.

    Raises:
        UserError: the inputs do not belong together, or a runtime is unknown.
        EnvironmentLacks: a runtime is not here.
    """
    gathered = Gathered.read(inputs)
    attacked = gathered.require_attacks()

    def work() -> StudyContent:
        cells: list[TransferCell] = []
        with progress.task("transfer", len(gathered.networks) * len(attacked)) as advance:
            for target in gathered.networks:
                with judges(target, runtimes, threads or cores()) as found:
                    for source in attacked:
                        cells += [cell for judge in found for cell in _cells(source, target, judge)]
                        advance(1)
        return gathered.content(max(len(each.truth) for each in attacked), TransferStudy(cells=tuple(cells)))

    settings: dict[str, JsonValue] = {"runtimes": {**versions(runtimes)}}
    return recorded(
        out,
        "transfer",
        gathered.digests,
        gathered.names,
        work,
        settings=settings,
        missing=missing,
        force=force,
    )


def _cells(source: Attacked, target: Network, judge: Judge) -> Iterator[TransferCell]:
    """One a budget."""
    x, truth = source.array("inputs.npy"), source.truth
    both = source.right & (judge.scores(x).argmax(axis=1) == truth)
    for point, result in source.points():
        labels = judge.scores_near(source.array(result.file), x, point.eps, point.norm).argmax(axis=1)
        yield TransferCell(
            at=point,
            target=target.name,
            runtime=judge.name,
            accuracy=proportion(labels == truth, both),
            transfer=proportion(labels != truth, both & ~source.stands(result)),
        )
