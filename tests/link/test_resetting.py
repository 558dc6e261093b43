"""Boards that restart when their port is opened are waited for, by every command."""

import json

import pytest

import qbench
from qbench.runtimes import device as device_runtime

from .resetting import Resetting


@pytest.fixture
def port(boot, bundle, tmp_path):
    """The port of a board that boots for two and a half seconds."""
    found = Resetting(tmp_path / "port", lambda: boot(bundle.path / "int8.tflite"), boot=2.5)
    yield found.path
    found.close()


def test_device_info_waits(port, command):
    done = command("device", "info", port, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["board"] == "host"


def test_devices_waits(port, command, monkeypatch):
    monkeypatch.setattr(device_runtime, "present_ports", lambda: [port])
    done = command("devices", "--json")
    assert json.loads(done.stdout)[port]["board"] == "host"


def test_a_replay_waits(port, bundle, advset, tmp_path):
    made = qbench.replay(bundle.path, advset.path, [], tmp_path / "out", devices=[port])
    assert made.content.devices[0].equal.count == 300
