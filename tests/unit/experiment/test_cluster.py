import os
import signal
import time

import pytest

from qbench.errors import EnvironmentLacks
from qbench.experiment import run
from qbench.experiment.performing import Unwatched
from tests.unit.experiment.test_executing import alone_task, planned

distributed = pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")

TASKS = 4


class Killing(Unwatched):
    """Kills a busy worker when the first task is done; remembers when each folder was finished."""

    def __init__(self, cluster, out):
        self.cluster, self.out = cluster, out
        self.killed, self.times, self.notes = None, {}, []

    def noted(self, task, text):
        self.notes.append((task, text))

    def finished(self, outcome):
        self.times[outcome.id] = (self.out / outcome.id / "manifest.json").stat().st_mtime_ns
        if self.killed is None:
            self.killed = self._busy()
            os.kill(self.killed, signal.SIGKILL)

    def _busy(self):
        """The process of a worker that is in the middle of a task."""
        while True:
            for worker in self.cluster.workers.values():
                if psutil.Process(worker.process.pid).children():
                    return worker.process.pid
            time.sleep(0.02)


@pytest.fixture
def cluster():
    """Two workers with one thread each, one board between them."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=None,
        resources={"stm32f405": 1},
        silence_logs="CRITICAL",
    ) as found:
        yield found


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_loses_nothing_and_nothing_is_done_twice(cluster, bundle, tmp_path):
    first = alone_task(bundle)
    tasks = [
        first.model_copy(
            update={
                "id": f"advset/{seed}",
                "settings": {**first.settings, "seed": seed},
                "board": "stm32f405" if seed % 2 else None,
            }
        )
        for seed in range(TASKS)
    ]
    here = planned(tmp_path, *tasks)
    watch = Killing(cluster, tmp_path / "run")
    outcomes = run(here, cluster=cluster.scheduler_address, watch=watch)
    assert watch.killed is not None
    assert [each.state for each in outcomes] == ["made"] * TASKS
    assert watch.times == {
        task.id: (tmp_path / "run" / task.id / "manifest.json").stat().st_mtime_ns for task in tasks
    }
    assert not list((tmp_path / "run").rglob("*.partial"))
    assert any("dashboard" in text for _, text in watch.notes)


def test_a_cluster_that_is_not_there_is_told(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("qbench.experiment.cluster._PATIENCE", "1s")
    with pytest.raises(EnvironmentLacks, match="no Dask scheduler answers"):
        run(planned(tmp_path, alone_task(bundle)), cluster="tcp://127.0.0.1:9")
