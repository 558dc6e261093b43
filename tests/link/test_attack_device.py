"""Attacks by queries on the firmware as a process: what it answers, and what is kept when it dies."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

import qbench
from qbench.link import connect
from qbench.link.errors import LinkError, WrongModel
from qbench.progress import Silent
from qbench.runtimes import device as device_runtime

from .affine_device import QUICK

BATCH = 5
SQUARE = {"attack": "square", "eps": [16 / 255], "budget": 40, "count": 4 * BATCH, "batch": BATCH}


class Batches(Silent):
    """Counts what an attack says is done, and lets something happen when a batch is finished.

    Attributes:
        done: inputs, as each call told them.
    """

    def __init__(self, after=0, event=None):
        self.done, self._after, self._event = [], after, event

    @contextmanager
    def task(self, label, total):
        del total
        yield self._advance if label == "square" else lambda _: None

    def _advance(self, count):
        self.done.append(count)
        if self._event and sum(self.done) == self._after:
            self._event()


def attack(bundle, out, device, **options):
    return qbench.attack(bundle.path, "digits", out, device=str(device.path), **{**SQUARE, **options})


def arrays(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.npy")}


def test_a_device_is_attacked_like_the_host_library(bundle, device, tmp_path):
    made = attack(bundle, tmp_path / "device", device)
    host = qbench.attack(bundle.path, "digits", tmp_path / "host", oracle="host", **SQUARE)
    assert arrays(made.path) == arrays(host.path)
    assert (made.content.oracle.name, host.content.oracle.name) == ("device:host", "host")
    assert made.content.surrogate == "device:host"
    assert made.content.oracle.package == "qbench-firmware"


def test_a_device_that_dies_keeps_finished_batches_and_the_command_goes_on(
    bundle, boot, tmp_path, monkeypatch
):
    monkeypatch.setattr(device_runtime, "connect", partial(connect, timeouts=QUICK))
    out = tmp_path / "out"
    first, second = (boot(bundle.path / "int8.tflite") for _ in range(2))
    with pytest.raises(LinkError, match="is gone") as caught:
        attack(bundle, out, first, progress=Batches(2 * BATCH, first.stop))
    assert "the same command again: what is finished is kept" in caught.value.hint
    (draft,) = tmp_path.glob(".out.*.partial")
    kept = {name: (draft / name).read_bytes() for name in ("eps-0.npy", "queries-eps-0.npy")}
    goes_on = Batches()
    made = attack(bundle, out, second, progress=goes_on)
    assert goes_on.done == [2 * BATCH, BATCH, BATCH], "a finished batch is not asked for again"
    whole = attack(bundle, tmp_path / "whole", second)
    assert arrays(made.path) == arrays(whole.path)
    for name, held in kept.items():
        assert held[128:] == np.load(whole.path / name)[: 2 * BATCH].tobytes(), "behind the .npy header"
    assert not draft.exists()
    assert attack(bundle, out, second).reused


def test_a_device_with_another_model_is_refused(bundle, boot, tmp_path):
    other = tmp_path / "other.tflite"
    other.write_bytes((bundle.path / "int8.tflite").read_bytes() + b"\0")
    with pytest.raises(WrongModel, match="runs the model"):
        attack(bundle, tmp_path / "out", boot(other))
    assert not list(tmp_path.glob("*out*")), "nothing was begun"


def test_the_command_attacks_a_device_and_a_replay_sees_its_scores(command, bundle, device, tmp_path):
    words = ("--data", "digits", "--attack", "square", "--norm", "l2", "--eps", "1", "--count", 20)
    out = tmp_path / "out"
    command.json("attack", bundle.path, *words, "--budget", 60, "--device", device.path, "--out", out)
    replayed = qbench.replay(bundle.path, out, ["tflite-ref"], tmp_path / "replay")
    seen = np.load(replayed.path / "tflite-ref" / "eps-0.npy")
    output = bundle.content.artifacts["int8.tflite"].output.quantization
    np.testing.assert_array_equal(output.dequantize(seen), np.load(out / "logits-eps-0.npy"))
