"""Experiments as files: networks, attacks, runtimes and devices, expanded into stage calls and done."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from qbench.errors import UserError
from qbench.experiment.executing import LocalWorkers, alone, execute
from qbench.experiment.performing import UNWATCHED, Observer
from qbench.experiment.planning import plan
from qbench.experiment.reading import read
from qbench.experiment.tasks import Failure, Outcome, Plan, Task
from qbench.places import cores

__all__ = ["Failure", "Outcome", "Plan", "Task", "plan", "read", "run"]


def run(
    planned: Plan,
    *,
    jobs: int | None = None,
    cluster: str | None = None,
    force: bool = False,
    watch: Observer = UNWATCHED,
) -> tuple[Outcome, ...]:
    """Do what is not done yet of a plan, in processes of this machine or on a cluster.

    A task gets the plan's number of threads, however many run side by side: no byte depends on `jobs`.

    Args:
        planned: from `plan(read(path))`.
        jobs: processes at a time; as many as the cores allow if None.
        cluster: address of a Dask scheduler, in place of processes here.
        force: do everything anew.
        watch: hears what happens.

    Returns:
        One outcome a task, in the plan's order; those that failed say why.

    Raises:
        UserError: another run has locked the folder.
        EnvironmentLacks: there is no cluster.
    """
    if jobs is not None and jobs < 1:
        raise UserError(f"{jobs} jobs do nothing", hint="give 1 or more")
    with alone(Path(planned.out)):
        if cluster is None:
            here = LocalWorkers(jobs or max(1, cores() // planned.threads), watch)
            with closing(here):
                return execute(planned, here, watch, force=force)
        from qbench.experiment.cluster import ClusterWorkers

        with closing(ClusterWorkers(cluster)) as there:
            watch.noted("cluster", f"dashboard: {there.dashboard}")
            for board in there.missing_boards(planned):
                watch.noted("cluster", f"no worker announces {board} yet; its tasks wait for one that does")
            return execute(planned, there, watch, force=force)
