"""The same plan on a Dask cluster: workers that see the run's folder under the same path."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future
from typing import TYPE_CHECKING

from qbench.errors import EnvironmentLacks
from qbench.experiment.performing import perform
from qbench.experiment.tasks import Order, Outcome, Plan, Task
from qbench.places import pip_install

if TYPE_CHECKING:
    from distributed import Client

_PATIENCE = "10s"


class ClusterWorkers:
    """The workers of a cluster; what to run where and when is the scheduler's.

    Args:
        address: of the scheduler, `tcp://HOST:PORT`.

    Raises:
        EnvironmentLacks: the extra is not installed, or no scheduler answers.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise EnvironmentLacks("--cluster needs dask.distributed", hint=pip_install("cluster")) from error
        try:
            self._client: Client = Client(address, timeout=_PATIENCE)
        except (OSError, ValueError) as error:
            raise EnvironmentLacks(
                f"no Dask scheduler answers at {address}",
                cause=str(error).splitlines()[0] if str(error) else None,
                hint="start one with `dask scheduler`, and workers with `dask worker tcp://HOST:8786`",
            ) from error

    @property
    def dashboard(self) -> str:
        """Its address."""
        return str(self._client.dashboard_link)

    def missing_boards(self, plan: Plan) -> list[str]:
        """Boards that tasks need and no worker announces; such tasks wait until one does."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        announced = {name for worker in workers for name in worker["resources"]}
        return sorted({task.board for task in plan.tasks if task.board} - announced)

    def fits(self, task: Task, running: Collection[Task]) -> bool:
        """Always: the scheduler holds back what has no place."""
        del task, running
        return True

    def submit(self, order: Order) -> Future[Outcome]:
        """Hand a task to the scheduler, which gives it to another worker if one is lost."""
        board = order.task.board
        options = {"resources": {board: 1}} if board else {}
        # A finished result is fetched at once, so that no worker's death can undo it.
        executor = self._client.get_executor(pure=False, **options)
        found: Future[Outcome] = executor.submit(perform, order)
        return found

    def close(self) -> None:
        """Withdraw what is not done, and leave the cluster."""
        self._client.close()
