import os
import shutil
import signal
from concurrent.futures import Future

import pytest

from qbench.artifacts import load
from qbench.errors import UserError
from qbench.experiment import plan, read, run
from qbench.experiment.child import Telling, do
from qbench.experiment.executing import LocalWorkers, alone, execute
from qbench.experiment.performing import UNWATCHED, Unwatched
from qbench.experiment.tasks import Plan, Task
from tests.conftest import bytes_of
from tests.unit.experiment.conftest import SMALL, TINY

psutil = pytest.importorskip("psutil", reason="to find the processes to kill")


def attack_task(bundle, seed=0, **more):
    settings = {"data": "digits", "attack": "fgsm", "eps": [0.03], "count": 4, "checks": False, "seed": seed}
    return Task(
        id=f"advset/{seed}",
        kind="attack",
        inputs={"bundle": str(bundle.path)},
        settings={**settings, **more},
        seconds=1,
    )


def planned(tmp_path, *tasks):
    """A plan whose tasks may take folders that are there already."""
    return Plan(name="parts", out=str(tmp_path / "run"), threads=1, tasks=tasks)


def by_id(outcomes):
    return {each.id: each for each in outcomes}


class Killing(Unwatched):
    """Kills every process that says something, up to so many."""

    def __init__(self, times):
        self.left = times

    def progressed(self, task, label, done, total):
        del task, label, done, total
        if self.left:
            self.left -= 1
            for child in psutil.Process().children():
                os.kill(child.pid, signal.SIGKILL)


@pytest.fixture
def whole(bundle):
    """A bundle that no sorter looks for: it is there already."""
    return bundle


def alone_task(bundle):
    task = attack_task(bundle)
    return task.model_copy(update={"inputs": {}, "settings": {**task.settings, "bundle": str(bundle.path)}})


@pytest.mark.slow
def test_a_process_that_dies_is_tried_again(whole, tmp_path):
    (outcome,) = run(planned(tmp_path, alone_task(whole)), jobs=1, watch=Killing(1))
    assert outcome.state == "made"


@pytest.mark.slow
def test_a_process_that_always_dies_is_told_and_stops_only_what_needs_it(whole, tmp_path):
    dying = alone_task(whole)
    needing = Task(
        id="replay/0",
        kind="replay",
        inputs={"advset": dying.id},
        settings={"bundle": str(whole.path), "runtimes": ["tflite-ref"]},
        seconds=1,
    )
    first, second = run(planned(tmp_path, dying, needing), jobs=1, watch=Killing(2))
    assert first.state == "failed"
    assert "died, 2 times (signal 9)" in first.failure.what
    assert second.state == "skipped"
    assert second.failure.what == "it needs advset/0, which failed"


def test_an_unforeseen_error_is_told_with_its_traceback(whole, tmp_path):
    task = alone_task(whole)
    broken = task.model_copy(update={"settings": {**task.settings, "bundle": 3}})
    (outcome,) = run(planned(tmp_path, broken), jobs=1)
    assert outcome.failure.exit_code == 4
    assert "TypeError" in outcome.failure.what
    assert "traceback in" in outcome.failure.hint


def test_one_board_does_one_task_at_a_time():
    here = LocalWorkers(3, UNWATCHED)
    task = Task(id="a", kind="replay", inputs={}, settings={}, seconds=1)
    board = task.model_copy(update={"port": "/dev/ttyACM0"})
    emulated = task.model_copy(update={"port": "qemu:stm32f405"})
    assert not here.fits(board, [board])
    assert here.fits(board, [task])
    assert here.fits(emulated, [emulated])
    assert not here.fits(task, [task, task, task])
    here.close()


def test_memory_bounds_what_runs_side_by_side(monkeypatch):
    monkeypatch.setattr("qbench.experiment.executing.memory", lambda: 3 << 30)
    here = LocalWorkers(8, UNWATCHED)
    train = Task(id="a", kind="train", inputs={}, settings={}, seconds=1)
    assert here.fits(train, [])
    assert not here.fits(train, [train])
    here.close()


def test_a_second_run_stays_out(tmp_path):
    with alone(tmp_path), pytest.raises(UserError, match="another run"), alone(tmp_path):
        pass


@pytest.mark.slow
def test_two_processes_write_the_bytes_of_one_and_nothing_twice(undisturbed, written, tmp_path):
    whole, outcomes = undisturbed
    assert {each.state for each in outcomes} == {"made"}
    shutil.copytree(whole, tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("manifest.json")}
    side_by_side = tmp_path / "run" / "advset"
    assert len(list(side_by_side.rglob("manifest.json"))) == 2
    shutil.rmtree(side_by_side)
    found = by_id(run(plan(read(written(SMALL)), tmp_path / "run"), jobs=2))
    made = {name for name, each in found.items() if each.state == "made"}
    assert made == {"advset/net0/fgsm", "advset/net0/bim"}
    assert {each.state for name, each in found.items() if name not in made} == {"found"}
    assert bytes_of(tmp_path / "run") == bytes_of(whole)
    after = {path: path.stat().st_mtime_ns for path in before}
    assert {path for path in before if before[path] != after[path]} == set(
        side_by_side.rglob("manifest.json")
    )


@pytest.mark.slow
def test_a_failing_network_does_not_stop_the_others(trained, written, tmp_path):
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"no network")
    bad = f'[[network]]\nname = "bad"\nfile = "{broken}"\nmax_drop = 1.0\n\n[[attack]]'
    good = f'file = "{trained.path / "float.keras"}"'
    text = TINY.replace('model = "digits-cnn"\nepochs = 1\nseed = [0, 1]', good).replace("net{seed}", "net0")
    text = text.replace("[[attack]]", bad)
    file = written(text)
    found = by_id(execute(plan(read(file), tmp_path / "run"), Here(), UNWATCHED))
    assert {name for name, each in found.items() if each.state == "failed"} == {"bundle/bad"}
    skipped = {name for name, each in found.items() if each.state == "skipped"}
    assert skipped == {"advset/bad/fgsm", "replay/bad/fgsm", "report/bad"}
    assert studied(tmp_path / "run/study/direct") == 1
    lost = ("bundle/bad", "advset/bad/fgsm", "replay/bad/fgsm")
    assert load(tmp_path / "run/study/direct", "study").content.missing == lost
    assert "made without replay/bad/fgsm" in (tmp_path / "run/page/report.html").read_text()

    # Mended, what was made without it is made anew; all else is found.
    shutil.copyfile(trained.path / "float.keras", broken)
    found = by_id(execute(plan(read(file), tmp_path / "run"), Here(), UNWATCHED))
    made = {name for name, each in found.items() if each.state == "made"}
    assert made == {"bundle/bad", *skipped, "study/direct", "page"}
    assert studied(tmp_path / "run/study/direct") == 2
    assert load(tmp_path / "run/study/direct", "study").content.missing == ()


class Here:
    """Does every task at once in this process, for what the order of tasks decides and processes do not."""

    def fits(self, task, running):
        del task
        return not running

    def submit(self, order):
        done = Future()
        done.set_result(do(order, Telling(lambda _: None)))
        return done


def studied(folder):
    return len(load(folder, "study").content.networks)
