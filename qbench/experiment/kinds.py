"""The kinds of task, and where a new one joins the plan.

A kind is a function from artefact folders to an artefact folder, as every stage is:
`function(**folders, out=..., progress=..., **settings) -> Artifact`. To let another take part, an analysis
over all networks say, give it

1. its line in `KINDS`: the function, and for each argument that is a folder (or a list of folders) the kinds
   of task whose folders go there. `"transfer": Kind("qbench.study.transfer:transfer", {"inputs": ("export",
   "attack", "replay")}, ...)` takes the folder of every bundle, advset and replay;
2. a call of `gathered` in `planning.plan`, with the tasks that it may look at.

Nothing else knows of kinds: order, resources, processes, clusters and progress follow from the task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GIB = 1 << 30


@dataclass(frozen=True)
class Kind:
    """What tasks of a kind have in common.

    Attributes:
        function: `module:name`, imported in the task's own process.
        takes: by argument, the kinds of the tasks whose folders it takes.
        memory: bytes that a task may need at most.
        threaded: whether the function takes `threads`.
    """

    function: str
    takes: Mapping[str, tuple[str, ...]]
    memory: int
    threaded: bool = False


KINDS: dict[str, Kind] = {
    "train": Kind("qbench.stages.train:train", {}, 2 * GIB),
    "export": Kind("qbench.stages.export:export", {"model": ("train",)}, 2 * GIB),
    "attack": Kind("qbench.stages.attack:attack", {"bundle": ("export",)}, 2 * GIB, threaded=True),
    "replay": Kind(
        "qbench.stages.replay:replay", {"bundle": ("export",), "advset": ("attack",)}, GIB, threaded=True
    ),
    "report": Kind("qbench.stages.report:report", {"replays": ("replay",)}, GIB // 2),
}
