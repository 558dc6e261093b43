"""Transfer: adversarial inputs of every network on every other, and on every runtime of the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import JsonValue

from qbench.places import cores
from qbench.statistics import proportion
from qbench.studies.base import Prepared
from qbench.studies.content import StudyContent
from qbench.studies.gathering import Attacked, Gathered, Network
from qbench.studies.judging import Judge, judges, versions
from qbench.studies.transfer.content import TransferCell, TransferStudy
from qbench.studies.transfer.options import TransferOptions


def prepare(inputs: Sequence[str | Path], options: TransferOptions) -> Prepared:
    """The transfer matrix, on inputs that the attacked network and the target both get right when clean.

    After Bernhard, Moellic and Dutertre (arXiv 1909.12741). A target runs on each of `runtimes`
    that it has the artefact of, else as its Keras network; inputs are rounded to the runtime's grid inside
    the eps-ball.

    Args:
        inputs: bundles, and the advsets made against them.
        options: of the analysis.

    Raises:
        UserError: the inputs do not belong together, or a runtime is unknown.
        EnvironmentLacks: a runtime is not here.
    """
    gathered = Gathered.read(inputs)
    attacked = gathered.require_attacks()

    def work() -> StudyContent:
        cells: list[TransferCell] = []
        with options.progress.task("transfer", len(gathered.networks) * len(attacked)) as advance:
            for target in gathered.networks:
                with judges(target, options.runtimes, options.threads or cores()) as found:
                    for source in attacked:
                        cells += [cell for judge in found for cell in _cells(source, target, judge)]
                        advance(1)
        return gathered.content(max(len(each.truth) for each in attacked), TransferStudy(cells=tuple(cells)))

    settings: dict[str, JsonValue] = {"runtimes": {**versions(options.runtimes)}}
    return Prepared(gathered.digests, gathered.names, settings, work)


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
