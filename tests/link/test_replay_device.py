"""Replays on the firmware as a process: the interpreter, the session, a pty, the client, the journal."""

from __future__ import annotations

import hashlib
import json
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

import qbench
from qbench.boards.packed_weights import pack_weights
from qbench.errors import UserError
from qbench.link import connect
from qbench.link.errors import DeviceFault, LinkError, WrongModel
from qbench.replaying.devices import device_results
from qbench.replaying.scores import Outputs
from qbench.reporting.tables import replay_tables
from qbench.runtimes import device as device_runtime
from qbench.runtimes import open_runtime
from tests.random_models.coarse import coarse
from tests.unit.runtimes.conftest import tflite_bytes

from .affine_device import QUICK
from .bad_line import Line

SETS = ("clean", "eps-0", "eps-1")


def vectors(replay, runtime):
    return [np.load(replay.path / runtime / f"{name}.npy") for name in SETS]


def test_a_replay_on_a_device_equals_the_reference_in_every_element(bundle, advset, device, tmp_path):
    made = qbench.replay(bundle.path, advset.path, [], tmp_path / "out", devices=[device.path])
    content = made.content
    assert [each.runtime.name for each in content.scores] == ["tflite-ref", "device:host"]
    for ours, theirs in zip(vectors(made, "device-host"), vectors(made, "tflite-ref"), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    (found,) = content.devices
    assert (found.runtime, found.board, found.counter) == ("device:host", "host", "nanoseconds")
    assert (found.equal.count, found.equal.total, found.differences) == (300, 300, ())
    assert found.model_bytes == (bundle.path / "int8.tflite").stat().st_size
    counts = np.concatenate([np.load(made.path / "device-host" / f"{name}-counts.npy") for name in SETS])
    assert counts.shape == (300,)
    assert (found.counts.min, found.counts.max) == (counts.min(), counts.max())
    assert np.sum(counts <= found.counts.median) >= 150 <= np.sum(counts >= found.counts.median)
    assert found.link.payload_bytes == 300 * (64 + 10)
    assert found.link.payload_bytes < found.link.wire_bytes < 2 * found.link.payload_bytes
    assert (found.flash_bytes, found.ram_bytes) == (None, None)
    equality, memory = (table.markdown() for table in replay_tables(content)[-2:])
    assert "| device:host | 300 of 300 | nanoseconds |" in equality
    assert f"| {found.model_bytes:,} |" in memory
    again = qbench.replay(bundle.path, advset.path, [], tmp_path / "out", devices=[device.path])
    assert again.reused


def test_a_runtime_of_every_kind_beside_two_devices(bundle, advset, boot, tmp_path):
    ports = [boot(bundle.path / "int8.tflite").path for _ in range(2)]
    made = qbench.replay(bundle.path, advset.path, ["host", "tflite-ref"], tmp_path / "out", devices=ports)
    names = [each.runtime.name for each in made.content.scores]
    assert names == ["host", "tflite-ref", "device:host", "device:host-2"]
    assert {each.vectors.count for each in made.content.disagreements} == {0}
    assert [each.runtime for each in made.content.devices] == names[2:]


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["uint8", "float32"])
def test_tensors_of_every_type_travel(trained, advset, boot, tmp_path, ends):
    vendor = tmp_path / "vendor.tflite"
    model = keras.models.load_model(trained.path / "float.keras", compile=False)
    vendor.write_bytes(tflite_bytes(model, getattr(tf, ends)))
    adopted = qbench.export(trained.path, "digits", tmp_path / "bundle", adopt=vendor, max_drop=1)
    made = qbench.replay(adopted.path, advset.path, [], tmp_path / "out", devices=[boot(vendor).path])
    assert vectors(made, "device-host")[0].dtype == ends
    assert made.content.devices[0].equal.count == 300


def test_a_device_with_another_model_is_refused(bundle, advset, boot, tmp_path):
    other = tmp_path / "other.tflite"
    other.write_bytes((bundle.path / "int8.tflite").read_bytes() + b"\0")
    with pytest.raises(WrongModel, match="runs the model"):
        qbench.replay(bundle.path, advset.path, [], tmp_path / "out", devices=[boot(other).path])
    assert not list(tmp_path.glob("*out*")), "nothing was begun"


def test_a_device_with_the_packed_twin_is_known_and_named(trained, advset, boot, tmp_path):
    model = keras.models.load_model(trained.path / "float.keras", compile=False)
    whole, packed = tmp_path / "whole.tflite", tmp_path / "packed.tflite"
    whole.write_bytes(coarse(tflite_bytes(model, tf.int8), bits=2))
    packed.write_bytes(pack_weights(whole.read_bytes()).content)
    bundle = qbench.export(trained.path, "digits", tmp_path / "bundle", adopt=whole, max_drop=1)
    ports = [boot(whole).path, boot(packed).path]
    made = qbench.replay(bundle.path, advset.path, [], tmp_path / "out", devices=ports)
    ours, twins = made.content.devices
    assert (ours.runtime, twins.runtime) == ("device:host", "device:host-packed")
    assert twins.model_bytes < ours.model_bytes
    assert twins.model_sha256 == hashlib.sha256(packed.read_bytes()).hexdigest() != ours.model_sha256
    for found, wanted in zip(vectors(made, "device-host-packed"), vectors(made, "device-host"), strict=True):
        np.testing.assert_array_equal(found, wanted)
    packed.write_bytes(packed.read_bytes() + b"\0")
    with pytest.raises(WrongModel, match="runs the model"):
        qbench.replay(bundle.path, advset.path, [], tmp_path / "other", devices=[boot(packed).path])


def test_a_device_whose_arena_is_too_small_is_refused(bundle, advset, boot, tmp_path):
    port = boot(bundle.path / "int8.tflite", 512).path
    with pytest.raises(DeviceFault, match="bytes needed"):
        qbench.replay(bundle.path, advset.path, [], tmp_path / "out", devices=[port])


def test_a_device_named_twice_is_told(bundle, advset, device, tmp_path):
    with pytest.raises(UserError, match="a device is named twice"):
        qbench.replay(bundle.path, advset.path, [], tmp_path / "out", devices=[device.path] * 2)


def test_a_port_that_vanishes_keeps_what_was_computed_and_the_command_goes_on(
    bundle, advset, device, tmp_path, monkeypatch
):
    monkeypatch.setattr(device_runtime, "connect", partial(connect, timeouts=QUICK))
    port, out = tmp_path / "port", tmp_path / "out"
    line = Line(port, device.path, baud=1_000_000)  # slow enough for the answers to keep up
    try:
        frame = 8 * 8 + 20
        line.after(150 * frame, line.vanish)  # in the second of three sets of 100
        with pytest.raises(LinkError, match="is gone"):
            qbench.replay(bundle.path, advset.path, [], out, devices=[str(port)])
        (draft,) = tmp_path.glob(".out.*.partial")
        kept = [np.load(draft / "device-host" / "clean.npy")]
        torn = (draft / "device-host" / "eps-0.npy").read_bytes()[128:]
        assert 0 < len(torn) < 100 * 10
        line.appear()
        made = qbench.replay(bundle.path, advset.path, [], out, devices=[str(port)])
    finally:
        line.close()
    reference, found = vectors(made, "tflite-ref"), vectors(made, "device-host")
    for ours, theirs in zip(found, reference, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(kept[0], reference[0])
    assert torn == found[1].tobytes()[: len(torn)]
    assert made.content.devices[0].equal.count == 300
    assert (np.load(out / "device-host" / "eps-0-counts.npy") > 0).all()


def test_an_element_that_differs_is_shown_with_both_values(bundle, device):
    content = bundle.content
    clean, wrong = np.zeros((4, 10), np.int8), np.zeros((4, 10), np.int8)
    wrong[2, 7], wrong[3, 1:9] = -5, 1
    with device_runtime.open_devices([device.path], bundle.path, content) as (opened,):
        reference = open_runtime("tflite-ref", bundle.path, content)
        yardstick = Outputs(reference.info, clean, (clean,))
        found = device_results(
            opened, Outputs(opened.info, clean, (wrong,)), np.array([3, 1, 2], np.uint64), yardstick, [0.5]
        )
        reference.close()
    assert (found.equal.count, found.equal.total) == (6, 8)
    first, *others = found.differences
    assert (first.eps, first.input, first.element, first.device, first.reference) == (0.5, 2, 7, -5, 0)
    assert [(each.input, each.element) for each in others] == [(3, 1), (3, 2), (3, 3), (3, 4)]
    assert (found.counts.min, found.counts.median, found.counts.max) == (1, 2, 3)


def test_the_command_replays_on_a_device_and_shows_what_it_is(command, bundle, advset, device, tmp_path):
    out = tmp_path / "out"
    done = command("replay", bundle.path, advset.path, "--device", device.path, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "300 of 300" in done.stdout
    about = command.json("device", "info", device.path)
    assert (about["board"], about["fault"], about["input"]["dtype"]) == ("host", None, "int8")
    assert about["model_sha256"] == bundle.manifest.files["int8.tflite"].sha256
    assert about["model_sha256"] in command("device", "info", device.path).stdout
    missing = command("device", "info", tmp_path / "none", "--json")
    assert (missing.returncode, "there is no port" in json.loads(missing.stdout)["error"]["what"]) == (
        3,
        True,
    )


def test_ports_are_listed_with_the_devices_that_answer(device, bundle, tmp_path, monkeypatch):
    ports = [device.path, str(tmp_path / "none")]
    monkeypatch.setattr(device_runtime, "present_ports", lambda: ports)
    found = device_runtime.find()
    assert found[ports[0]].model_sha256 == bundle.manifest.files["int8.tflite"].sha256
    assert "there is no port" in found[ports[1]].what
