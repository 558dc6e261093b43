"""Real networks through the whole path: the interpreter in a process, the session, a pty, the client."""

from __future__ import annotations

import hashlib
import re
import subprocess

import numpy as np
import pytest

from qbench.boards.packed_weights import pack_weights
from qbench.link import connect
from qbench.link.errors import DeviceFault
from qbench.link.messages import tensor_bytes
from qbench.runtimes.hostlib import HostModel
from tests.golden.coarse import network
from tests.golden.wide import widen

from .affine_device import FIRMWARE, QUICK, Process

NETWORKS = ("ic-resnet8", "kws-dscnn")


@pytest.fixture(scope="module")
def host_program(tmp_path_factory):
    """The executable that runs `.tflite` files, under the sanitizers."""
    folder = tmp_path_factory.mktemp("firmware")
    subprocess.run(
        ["make", "-s", "-C", str(FIRMWARE / "host"), f"BUILD={folder}", "pty_sanitized"], check=True
    )
    return folder / "qbench-host-sanitized"


@pytest.fixture
def boot():
    """Starts processes and stops them again."""
    started = []

    def starter(*command):
        started.append(Process([str(word) for word in command]))
        return started[-1]

    yield starter
    for one in started:
        one.stop()


def path_of(data_root, network):
    path = data_root / "mlperf-tiny" / network / "int8.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_behind_the_line_is_the_network(data_root, host_program, boot, network):
    path = path_of(data_root, network)
    model = HostModel(path.read_bytes())
    inputs = np.random.default_rng(6).integers(-128, 128, (2, *model.inputs[0].shape), np.int8)
    (wanted,) = model.run(inputs)
    client = connect(boot(host_program, path).path)
    try:
        answers = list(client.infer(x.tobytes() for x in inputs))
    finally:
        client.close()
    info = client.info
    assert info.model_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (info.model_bytes, info.arena_used) == (path.stat().st_size, model.arena)
    assert info.input.shape == model.inputs[0].shape[1:]
    assert (info.input.scale, info.input.zero_point) == (model.inputs[0].scale, model.inputs[0].zero_point)
    outputs = np.frombuffer(b"".join(answer.output for answer in answers), np.int8)
    np.testing.assert_array_equal(outputs, wanted.reshape(-1))
    assert all(answer.count > 0 for answer in answers)


@pytest.mark.parametrize("packed", [False, True])
def test_elements_of_two_bytes_cross_the_line(host_program, boot, tmp_path, packed):
    rng = np.random.default_rng(4)
    content, (inputs,) = widen((network(2), (np.zeros((4, 1, 8, 8, 4), np.int8),)), rng)
    path = tmp_path / "wide.tflite"
    path.write_bytes(pack_weights(content).content if packed else content)
    (wanted,) = HostModel(content).run(inputs)
    client = connect(boot(host_program, path).path)
    try:
        answers = list(client.infer(x.astype("<i2").tobytes() for x in inputs))
    finally:
        client.close()
    assert (client.info.input.dtype, client.info.output.dtype) == ("int16", "int16")
    assert tensor_bytes(client.info.input) == 2 * 8 * 8 * 4
    outputs = np.frombuffer(b"".join(answer.output for answer in answers), "<i2")
    np.testing.assert_array_equal(outputs, wanted.reshape(-1))
    assert len(set(outputs.tolist())) > 10


@pytest.fixture
def fault_of(host_program, boot):
    """Why a device says that it cannot run a model; asking it to run one says the same."""

    def fault(*arguments):
        client = connect(boot(host_program, *arguments).path, timeouts=QUICK)
        try:
            with pytest.raises(DeviceFault) as caught:
                list(client.infer([b""]))
        finally:
            client.close()
        assert str(client.info.fault) in caught.value.what
        return client.info.fault

    return fault


def test_an_arena_that_is_too_small_is_told_with_the_numbers(data_root, fault_of):
    assert re.search(r"bytes needed: \d+, available: 4096", fault_of(path_of(data_root, "kws-dscnn"), 4096))


def test_a_file_that_is_no_model_is_told(tmp_path, fault_of):
    (tmp_path / "model").write_bytes(b"not a flatbuffer, whatever its name")
    assert fault_of(tmp_path / "model") == "not a TFLite file, or cut short"
