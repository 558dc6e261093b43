"""The clocks of a run, with a clock that the test moves."""

from __future__ import annotations

import pytest

from qbench.link import deadlines
from qbench.link.deadlines import Deadlines
from qbench.link.errors import DeviceUnstable, NoAnswer
from qbench.link.timeouts import Timeouts

START = 1000.0


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved."""

    class Clock:
        now = START

        def monotonic(self):
            return self.now

    found = Clock()
    monkeypatch.setattr(deadlines, "time", found)
    return found


@pytest.fixture
def running(clock):
    """Deadlines that began at the clock's start."""
    del clock
    return Deadlines("port:7", Timeouts(probe=1.0, silent=10.0, progress=100.0))


def test_a_probe_is_due_after_its_time_and_then_after_twice_as_long_each(clock, running):
    probes = []
    for tenth in range(99):
        clock.now = START + tenth / 10
        if running.probe_due():
            probes.append(tenth / 10)
    assert probes == [1.0, 3.0, 7.0]


def test_the_time_until_a_probe_runs_down_to_zero(clock, running):
    assert running.time_until_probe() == 1.0
    clock.now += 0.75
    assert running.time_until_probe() == 0.25
    clock.now += 5
    assert running.time_until_probe() == 0.0
    assert running.probe_due() is True
    assert running.time_until_probe() == 2.0
    assert running.probe_due() is False


def test_a_frame_starts_the_probes_anew(clock, running):
    clock.now += 1
    assert running.probe_due()
    clock.now += 9
    running.note_frame()
    assert running.time_until_probe() == 1.0
    clock.now += 1
    assert running.probe_due()
    assert running.time_until_probe() == 2.0


def test_silence_is_told_with_its_port_and_its_length(clock, running):
    clock.now += 10
    running.probe_due()
    clock.now += 0.001
    with pytest.raises(NoAnswer, match="port:7") as caught:
        running.probe_due()
    assert "10 s" in str(caught.value.what)


def test_frames_without_an_answer_end_too(clock, running):
    for _ in range(20):
        clock.now += 5
        running.note_frame()
        running.probe_due()
    clock.now += 0.001
    with pytest.raises(DeviceUnstable, match="port:7") as caught:
        running.probe_due()
    assert "100 s" in str(caught.value.what)


def test_an_answer_starts_all_clocks_anew(clock, running):
    for _ in range(20):
        clock.now += 9
        running.restart()
        assert running.time_until_probe() == 1.0
        assert not running.probe_due()
