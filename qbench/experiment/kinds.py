"""The kinds of task, and where a new one joins the plan.

A kind is a function from artefact folders to an artefact folder, as every stage is:
`function(**folders, out=..., progress=..., **settings) -> Artifact`. To let another take part, give it

1. its line in `KINDS`: the function, and for each argument that is a folder (or a list of folders) the kinds
   of task whose folders go there;
2. its tasks in `planning.plan`, by `gather_task` if it looks at all that there is.

Nothing else knows of kinds: order, resources, processes, clusters and progress follow from the task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qbench.studies import ANALYSES, find_analysis

GIB = 1 << 30


@dataclass(frozen=True)
class TaskKind:
    """What tasks of a kind have in common.

    Attributes:
        function: `module:name`, imported in the task's own process.
        takes: by argument, the kinds of the tasks whose folders it takes.
        memory: bytes that a task may need at most.
        threaded: whether the function takes `threads`.
        gathers: whether it makes do with those of its folders that could be made, takes the names of the
            others as `missing`, and is made anew when they change.
    """

    function: str
    takes: Mapping[str, tuple[str, ...]]
    memory: int
    threaded: bool = False
    gathers: bool = False


def _analysis_kind(name: str) -> TaskKind:
    """An analysis over all bundles, the advsets made against them, and their replays; or over the studies."""
    analysis = find_analysis(name)
    takes = STUDIES if analysis.of_studies else ("export", "attack", "replay")
    return TaskKind(
        ANALYSES.place(name),
        {"inputs": takes},
        analysis.cost.memory,
        threaded="threads" in analysis.options.model_fields,
        gathers=True,
    )


# The analyses of networks; others look at what these found.
STUDIES = tuple(name for name in ANALYSES if not find_analysis(name).of_studies)

KINDS: dict[str, TaskKind] = {
    "train": TaskKind("qbench.stages.train.run:train", {}, 2 * GIB),
    "export": TaskKind("qbench.stages.export.run:export", {"model": ("train",)}, 2 * GIB),
    "attack": TaskKind("qbench.stages.attack.run:attack", {"bundle": ("export",)}, 2 * GIB, threaded=True),
    "replay": TaskKind(
        "qbench.stages.replay.run:replay", {"bundle": ("export",), "advset": ("attack",)}, GIB, threaded=True
    ),
    **{name: _analysis_kind(name) for name in ANALYSES},
    "report": TaskKind(
        "qbench.stages.report.run:report",
        {"replays": ("replay",), "studies": tuple(ANALYSES)},
        GIB,
        gathers=True,
    ),
}
