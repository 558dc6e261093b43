"""Executables, devices and lines."""

from __future__ import annotations

import os
import subprocess
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qbench.artifacts import Artifact
from qbench.link import Client, connect

from . import affine_device as firmware
from .affine_device import INPUTS, QUICK
from .bad_line import Line


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware as an executable, under the address and undefined-behaviour sanitizers."""
    return firmware.compile_host(tmp_path_factory.mktemp("host") / "qbench-host", *firmware.SANITIZED)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware as an executable that runs `.tflite` files."""
    folder = tmp_path_factory.mktemp("firmware")
    make = ["make", "-s", "-C", str(firmware.FIRMWARE / "host"), f"BUILD={folder}", "pty"]
    subprocess.run(make, check=True)
    return folder / "qbench-host"


@pytest.fixture
def boot(program: Path) -> Iterator[Callable[..., firmware.Process]]:
    """Starts devices that run a `.tflite` file and stops them again."""
    started = []

    def starter(model: Path, *arguments: int) -> firmware.Process:
        started.append(firmware.Process([str(word) for word in (program, model, *arguments)]))
        return started[-1]

    yield starter
    for one in started:
        one.stop()


@pytest.fixture
def device(boot: Callable[..., firmware.Process], bundle: Artifact[Any]) -> firmware.Process:
    """A device that runs the bundle."""
    return boot(bundle.path / "int8.tflite")


@pytest.fixture
def start(host: Path) -> Iterator[Callable[..., firmware.Device]]:
    """Starts devices and stops them again."""
    started = []

    def starter(**settings: Any) -> firmware.Device:
        started.append(firmware.Device(host, **{"inputs": INPUTS, **settings}))
        return started[-1]

    yield starter
    for one in started:
        one.stop()


@pytest.fixture
def join(tmp_path: Path) -> Iterator[Callable[..., Line]]:
    """Joins a host's port, `tmp_path / "port"`, to a device through a line."""
    lines = []

    def joiner(device: firmware.Device, **settings: Any) -> Line:
        lines.append(Line(tmp_path / "port", device.path, **settings))
        return lines[-1]

    yield joiner
    for one in lines:
        one.close()


@pytest.fixture
def greet() -> Iterator[Callable[..., Client]]:
    """Connects clients and closes them again."""
    clients = []

    def greeter(url: str | Path, **settings: Any) -> Client:
        clients.append(connect(str(url), **{"timeouts": QUICK, **settings}))
        return clients[-1]

    yield greeter
    for one in clients:
        one.close()


@pytest.fixture
def talker():
    """A pty on which something talks: a function of the bytes that came in."""
    stop = threading.Event()
    threads, descriptors = [], []

    def serve(master, answer):
        os.set_blocking(master, False)
        while not stop.wait(0.01):
            try:
                heard = os.read(master, 4096)
            except OSError:
                heard = b""
            if reply := answer(heard):
                os.write(master, reply)

    def start(answer):
        master, far = os.openpty()
        tty.setraw(far)
        descriptors.extend((master, far))
        threads.append(threading.Thread(target=serve, args=(master, answer)))
        threads[-1].start()
        return os.ttyname(far)

    yield start
    stop.set()
    for thread in threads:
        thread.join()
    for descriptor in descriptors:
        os.close(descriptor)
