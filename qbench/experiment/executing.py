"""Following a plan: what is ready goes to the workers, and a failure stops only what needs it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Protocol

from qbench.errors import InternalFault, UserError
from qbench.experiment.kinds import KINDS
from qbench.experiment.performing import Observer, Performer
from qbench.experiment.tasks import Failure, Order, Outcome, Plan, Task
from qbench.places import memory


class Workers(Protocol):
    """Who does tasks."""

    def fits(self, task: Task, running: Collection[Task]) -> bool:
        """Whether a task can be handed out while others run; always, if none does."""
        ...

    def submit(self, order: Order) -> Future[Outcome]:
        """Hand out a task."""
        ...


class LocalWorkers:
    """Processes of this machine, within its memory.

    Args:
        jobs: how many at a time.
        watch: hears what they do.
    """

    def __init__(self, jobs: int, watch: Observer) -> None:
        self._jobs, self._memory = jobs, memory()
        self._performer = Performer(watch)
        self._threads = ThreadPoolExecutor(jobs)  # each waits for a process

    def fits(self, task: Task, running: Collection[Task]) -> bool:
        """Whether there is a free place, memory, and the task's board."""
        if not running:
            return True
        taken = {each.port for each in running if each.port and not each.port.startswith("qemu:")}
        need = task.memory + sum(each.memory for each in running)
        return len(running) < self._jobs and need <= self._memory and task.port not in taken

    def submit(self, order: Order) -> Future[Outcome]:
        """Start a task in a process of its own."""
        return self._threads.submit(self._performer, order)

    def close(self) -> None:
        """End what still runs."""
        self._performer.close()
        self._threads.shutdown(cancel_futures=True)


def execute(plan: Plan, workers: Workers, watch: Observer, *, force: bool = False) -> tuple[Outcome, ...]:
    """Do all tasks of a plan that can be done, the longest first.

    Returns:
        One outcome a task, in the plan's order.
    """
    root = Path(plan.out).absolute()
    tasks = {task.id: task for task in plan.tasks}
    sorter: TopologicalSorter[str] = TopologicalSorter({task.id: task.needs for task in plan.tasks})
    sorter.prepare()
    ready: list[Task] = []
    running: dict[Future[Outcome], Task] = {}
    outcomes: dict[str, Outcome] = {}

    def ended(outcome: Outcome) -> None:
        outcomes[outcome.id] = outcome
        watch.finished(outcome)
        sorter.done(outcome.id)

    while True:
        while reached := sorter.get_ready():
            for task in map(tasks.__getitem__, reached):
                possible = _possible(task, outcomes)
                if possible is None:
                    ended(_skip(task, outcomes))
                else:
                    ready.append(possible)
        ready.sort(key=lambda t: (-t.seconds, t.id))
        for task in [*ready]:
            if workers.fits(task, running.values()):
                ready.remove(task)
                watch.started(task)
                order = Order(task=task, out=str(root), threads=plan.threads, force=force)
                running[workers.submit(order)] = task
        if not running:
            break
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            ended(_outcome(running.pop(future), future))
    return tuple(outcomes[task.id] for task in plan.tasks)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Keep a second run out of a run's folder.

    Raises:
        UserError: another run has locked the folder.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot write in {out}", cause=error.strerror, hint="choose another --out"
        ) from error
    with (out / ".lock").open("w") as file:
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(
                    f"another run has locked the folder {out}",
                    hint="wait for it, or choose another --out",
                ) from error
        yield


def _outcome(task: Task, future: Future[Outcome]) -> Outcome:
    """What came of a task, also if its worker was lost for good."""
    error = future.exception()
    if error is None:
        return future.result()
    lost = InternalFault(
        f"its worker was lost: {type(error).__name__}: {error}", hint="run the same command again"
    )
    return Outcome(id=task.id, state="failed", failure=Failure.of(lost))


def _possible(task: Task, outcomes: Mapping[str, Outcome]) -> Task | None:
    """The task, over what there is of its folders if that will do; None if it cannot be done."""
    lost = {name for name in task.needs if outcomes[name].state in ("failed", "skipped")}
    if not lost:
        return task
    if not KINDS[task.kind].gathers:
        return None
    left = {
        argument: tuple(name for name in given if name not in lost)
        for argument, given in task.inputs.items()
        if not isinstance(given, str)
    }
    missing = tuple(name for name in task.needs if name in lost)
    possible = task.model_copy(update={"inputs": {**task.inputs, **left}, "missing": missing})
    return possible if possible.needs else None


def _skip(task: Task, outcomes: Mapping[str, Outcome]) -> Outcome:
    """Why a task cannot be done: what it needs has its outcome already."""
    before = next(name for name in task.needs if outcomes[name].state in ("failed", "skipped"))
    needed = outcomes[before].failure
    what = (
        needed.what if needed and outcomes[before].state == "skipped" else f"it needs {before}, which failed"
    )
    return Outcome(id=task.id, state="skipped", failure=Failure(what=what, exit_code=0))
