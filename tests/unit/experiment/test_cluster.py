import time

import pytest

from qbench.errors import EnvironmentLacks
from qbench.experiment import run
from qbench.experiment.performing import Unwatched
from tests.unit.experiment.test_executing import alone_task, planned

distributed = pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")

TASKS = 3


class Killing(Unwatched):
    """Kills a busy worker when the first task is done; remembers which folders were whole, and since when."""

    def __init__(self, cluster, out):
        self.cluster, self.out = cluster, out
        self.whole_at_the_kill, self.times, self.notes = None, {}, []

    def noted(self, task, text):
        self.notes.append((task, text))

    def finished(self, outcome):
        self.times[outcome.id] = made_at(self.out / outcome.id)
        if self.whole_at_the_kill is None:
            worker, children = self._busy()
            worker.kill()
            psutil.wait_procs(children)
            self.whole_at_the_kill = {
                str(folder.relative_to(self.out)): made_at(folder)
                for folder in self.out.glob("advset/*")
                if (folder / "manifest.json").exists()
            }

    def _busy(self):
        """The process of a worker that is in the middle of a task, and those that do the task."""
        while True:
            for worker in self.cluster.workers.values():
                process = psutil.Process(worker.process.pid)
                if children := process.children():
                    return process, children
            time.sleep(0.02)


def made_at(folder):
    return (folder / "manifest.json").stat().st_mtime_ns


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
    assert {each.state for each in outcomes} <= {"made", "found"}
    # A worker may die between its task's last file and its word of it: the next one finds the folder.
    found = [each.id for each in outcomes if each.state == "found"]
    assert len(found) <= 1
    assert set(found) <= watch.whole_at_the_kill.keys()
    now = {task.id: made_at(tmp_path / "run" / task.id) for task in tasks}
    assert watch.times == now
    assert watch.whole_at_the_kill.items() <= now.items()
    assert not list((tmp_path / "run").rglob("*.partial"))
    assert any("dashboard" in text for _, text in watch.notes)


def test_a_cluster_that_is_not_there_is_told(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("qbench.experiment.cluster._PATIENCE", "1s")
    with pytest.raises(EnvironmentLacks, match="no Dask scheduler answers"):
        run(planned(tmp_path, alone_task(bundle)), cluster="tcp://127.0.0.1:9")
