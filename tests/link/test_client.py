"""The client against the firmware's session in a process, over good lines."""

from __future__ import annotations

import io

import numpy as np
import pytest

import qbench
from qbench.errors import UserError
from qbench.link import Client, hex_trace
from qbench.link.errors import DeviceFault, WrongModel

from .affine_device import INPUTS, QUICK, affine


def random_inputs(count, seed=0, size=INPUTS):
    return np.random.default_rng(seed).integers(0, 256, (count, size), np.uint8)


def run(client: Client, inputs):
    """All answers, checked: the right ones, in order, each with its own count."""
    answers = list(client.infer(row.tobytes() for row in inputs))
    assert [answer.index for answer in answers] == list(range(len(inputs)))
    outputs = np.frombuffer(b"".join(answer.output for answer in answers), np.uint8)
    np.testing.assert_array_equal(outputs.reshape(len(inputs), -1), affine(inputs, 5))
    np.testing.assert_array_equal([answer.count for answer in answers], inputs.sum(axis=1))
    return answers


def test_a_device_tells_of_itself(start, greet):
    device = start(ring=1024)
    info = greet(device.path).info
    assert (info.board, info.counter, info.protocol, info.fault) == ("host", "nanoseconds", 1, None)
    assert info.firmware == f"qbench {qbench.__version__}"
    assert info.model_sha256 == device.model_sha256
    assert info.window == 1 + (1024 - 128) // 80
    assert (info.input.shape, info.input.dtype, info.input.scale, info.input.zero_point) == (
        (64,),
        "int8",
        0.5,
        -1,
    )
    assert (info.output.shape, info.output.scale, info.output.zero_point) == ((10,), 0.25, 3)


@pytest.mark.parametrize("ring", [128, 256, 4096])
def test_every_answer_is_right_and_nothing_is_sent_twice(start, greet, ring):
    client = greet(start(ring=ring).path)
    run(client, random_inputs(500))
    assert client.stats.inputs == client.stats.answers == 500
    assert (client.stats.repeats, client.stats.dropped, client.stats.damaged, client.stats.reported) == (
        0,
    ) * 4


def test_no_inputs_no_answers(start, greet):
    assert list(greet(start().path).infer([])) == []


def test_inputs_are_taken_as_the_window_has_room(start, greet):
    client = greet(start(ring=256).path)
    taken = []
    answers = client.infer(taken.append(i) or bytes(INPUTS) for i in range(100))
    next(answers)
    assert len(taken) <= 2 * client.info.window
    assert len(list(answers)) == 99


def test_one_session_runs_many_times(start, greet):
    client = greet(start().path)
    for seed in range(3):
        run(client, random_inputs(20, seed))
    assert client.stats.sessions == 1


def test_a_slow_inference_is_not_taken_for_a_loss(start, greet):
    client = greet(start(delay=6 * QUICK.probe).path)
    inputs = random_inputs(4)
    answers = list(client.infer(row.tobytes() for row in inputs))
    assert [answer.output for answer in answers] == [row.tobytes() for row in affine(inputs, 5)]
    assert all(answer.count >= 6e9 * QUICK.probe for answer in answers)
    assert client.stats.repeats == 0


def test_what_an_interrupted_host_left_is_dropped(start, greet):
    device = start(delay=0.01)
    first = greet(device.path)
    next(first.infer(row.tobytes() for row in random_inputs(50, seed=1)))
    first.port.write(b"\x55" * 20)
    first.close()
    second = greet(device.path)
    inputs = random_inputs(20, seed=2)
    answers = list(second.infer(row.tobytes() for row in inputs))
    assert [answer.output for answer in answers] == [row.tobytes() for row in affine(inputs, 5)]
    assert second.stats.dropped > 0


def test_answers_of_an_abandoned_run_are_dropped(start, greet):
    client = greet(start(delay=0.002).path)
    next(client.infer(row.tobytes() for row in random_inputs(50, seed=1)))
    inputs = random_inputs(20, seed=2)
    answers = list(client.infer(row.tobytes() for row in inputs))
    assert [answer.output for answer in answers] == [row.tobytes() for row in affine(inputs, 5)]


def test_the_wrong_model_is_refused(start, greet):
    with pytest.raises(WrongModel, match="runs the model 050505050505, not 060606060606"):
        greet(start().path, model_sha256="06" * 32)


def test_a_failing_inference_stops_the_run_with_what_it_has(start, greet):
    inputs = random_inputs(10)
    inputs[6, :3] = 0x7F
    answers = greet(start().path).infer(row.tobytes() for row in inputs)
    assert [next(answers).index for _ in range(6)] == list(range(6))
    with pytest.raises(DeviceFault, match="three times 127"):
        next(answers)


def test_an_input_of_another_size_is_refused(start, greet):
    client = greet(start().path)
    with pytest.raises(UserError, match=r"63 bytes; the input tensor of .* has 64"):
        list(client.infer([bytes(INPUTS), bytes(INPUTS - 1)]))


def test_the_trace_shows_every_byte(start, greet):
    text = io.StringIO()
    client = greet(start().path, trace=hex_trace(text))
    list(client.infer([b"adversarial".ljust(INPUTS, b".")]))
    lines = text.getvalue().splitlines()
    assert any("->" in line and "adversarial"[:5] in line for line in lines)
    assert sum(len(line[20:68].split()) for line in lines if " <- " in line) == client.stats.bytes_in
