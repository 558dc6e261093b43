"""A bad line, a bad board: no wrong answer is believed, and the run finishes or stops with what it has."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qbench.errors import QbenchError
from qbench.link import Client
from qbench.link.codec import Frame, FrameType, encode
from qbench.link.errors import DeviceUnstable, NoAnswer, PortLost, WrongModel
from qbench.link.messages import PROTOCOL_VERSION

from .affine_device import INPUTS, QUICK, affine
from .bad_line import CLEAN, Faults

FAULTS = {
    "bit flips": Faults(flip=1e-4),
    "dropped bytes": Faults(drop=1e-3),
    "repeated bytes": Faults(repeat=1e-3),
    "reordered bytes": Faults(swap=1e-3),
    "stalls": Faults(stall=0.02),
    "all at once": Faults(flip=1e-4, drop=3e-4, repeat=3e-4, swap=3e-4, stall=0.005),
}
WAYS = {"to the device": ("to_device",), "to the host": ("to_host",), "both ways": ("to_device", "to_host")}


def inputs_of(size, seed=3):
    return np.random.default_rng(seed).integers(0, 256, (size, INPUTS), np.uint8)


def collect(client: Client, inputs):
    """Whatever was answered before the end, checked against the model; and the error that ended it."""
    answers, error = [], None
    try:
        answers.extend(client.infer(row.tobytes() for row in inputs))
    except QbenchError as caught:
        error = caught
    assert [answer.index for answer in answers] == list(range(len(answers)))
    right = affine(inputs[: len(answers)], 5)
    assert [answer.output for answer in answers] == [row.tobytes() for row in right]
    assert [answer.count for answer in answers] == [int(row.sum()) for row in inputs[: len(answers)]]
    return len(answers), error


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_line_costs_time_and_nothing_else(start, join, greet, fault, way):
    line = join(start(ring=1024), seed=1, **dict.fromkeys(WAYS[way], FAULTS[fault]))
    client = greet(line.link)
    assert collect(client, inputs_of(150)) == (150, None)
    assert client.stats.answers == 150
    if fault == "stalls":
        assert client.stats.damaged + client.stats.reported == 0
    elif fault != "all at once":
        assert client.stats.damaged + client.stats.reported > 0


def test_a_damaged_input_is_sent_again_before_any_timeout(start, join, greet):
    patient = replace(QUICK, probe=10, silent=60)
    line = join(start(ring=1024), to_device=Faults(flip=3e-5), seed=2)
    client = greet(line.link, timeouts=patient)
    began = time.monotonic()
    assert collect(client, inputs_of(300)) == (300, None)
    assert client.stats.repeats > 0
    assert time.monotonic() - began < patient.probe


def reset(device, line):
    line.unplug()
    device.stop()
    device.start()
    line.plug(device.path)


def test_a_reset_is_noticed_and_the_run_goes_on(start, join, greet):
    device = start(ring=512)
    line = join(device)
    client = greet(line.link)
    boot = client.info.boot
    line.after(6000, lambda: reset(device, line))
    assert collect(client, inputs_of(200)) == (200, None)
    assert client.stats.sessions == 2
    assert client.info.boot != boot


def test_a_reset_into_another_model_ends_the_run(start, join, greet):
    device = start(ring=512)
    line = join(device)
    client = greet(line.link)

    def reflash():
        device.multiplier = 7
        reset(device, line)

    line.after(6000, reflash)
    answered, error = collect(client, inputs_of(200))
    assert isinstance(error, WrongModel)
    assert 20 < answered < 100


def test_a_board_that_resets_on_and_on_is_given_up(start, join, greet):
    device = start(ring=512)
    line = join(device)
    client = greet(line.link)  # a HELLO that falls into a reset has time for its repetition

    def crash(sent):
        reset(device, line)
        line.after(sent + 60, lambda: crash(sent + 60))

    line.after(6000, lambda: crash(6000))
    answered, error = collect(client, inputs_of(200))
    assert isinstance(error, DeviceUnstable)
    assert "restarted" in error.what
    assert 20 < answered < 100


def test_a_port_that_comes_back_is_opened_again(start, join, greet):
    line = join(start(ring=512))
    client = greet(line.link)

    def pull():
        line.vanish()
        time.sleep(0.2)
        line.appear()

    line.after(6000, pull)
    assert collect(client, inputs_of(200)) == (200, None)
    assert client.stats.ports >= 1


def test_a_port_that_stays_away_ends_the_run(start, join, greet):
    line = join(start(ring=512))
    client = greet(line.link, timeouts=replace(QUICK, port_return=0.3))
    line.after(6000, line.vanish)
    answered, error = collect(client, inputs_of(200))
    assert isinstance(error, PortLost)
    assert 20 < answered < 100
    assert "cable" in str(error.hint)


def test_a_client_goes_on_after_its_port_came_back_late(start, join, greet):
    line = join(start(ring=512))
    client = greet(line.link, timeouts=replace(QUICK, port_return=0.1))
    line.after(6000, line.vanish)
    answered, _ = collect(client, inputs_of(200))
    line.appear()
    assert collect(client, inputs_of(200)[answered:]) == (200 - answered, None)


def test_a_board_that_hangs_is_given_up(start, join, greet):
    device = start(ring=512)
    line = join(device)
    client = greet(line.link, timeouts=replace(QUICK, silent=0.5))
    line.after(6000, device.hang)
    answered, error = collect(client, inputs_of(200))
    assert isinstance(error, NoAnswer)
    assert "silent" in error.what
    assert answered >= 20


def test_a_line_on_which_nothing_gets_through_is_given_up(start, join, greet):
    line = join(start(ring=512))
    client = greet(line.link, timeouts=replace(QUICK, progress=0.8))
    line.spoil(to_device=Faults(flip=2e-2), to_host=CLEAN)
    answered, error = collect(client, inputs_of(200))
    assert isinstance(error, DeviceUnstable)
    assert "baud" in str(error.hint)
    assert answered == 0


def test_two_hosts_cannot_mix_up_answers(start, join, greet):
    """Another program that greets the same device ends this one's session; each still gets only its own."""
    device = start(ring=1024)
    line = join(device)
    client = greet(line.link)

    def intrude():
        with Path(device.path).open("wb", buffering=0) as other:
            other.write(b"\0" + encode(Frame(FrameType.HELLO, 1, 1, bytes([PROTOCOL_VERSION]))))

    line.after(6000, intrude)
    assert collect(client, inputs_of(200)) == (200, None)
    assert client.stats.sessions == 2


def test_another_firmware_with_the_same_model_ends_the_run(start, join, greet):
    """A board that was swapped or flashed anew in mid-run: its window, for one, is another."""
    device = start(ring=512)
    line = join(device)
    client = greet(line.link)

    def swap():
        device.ring = 2048
        reset(device, line)

    line.after(6000, swap)
    answered, error = collect(client, inputs_of(200))
    assert isinstance(error, WrongModel)
    assert "came back as another one" in error.what
    assert "window" in error.cause
    assert 20 < answered < 100
