"""CIFAR-10's download and reading, from a local server with a small archive of the same form."""

import functools
import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from qbench.data import DATASETS, IMAGE
from qbench.data.cifar10 import load_cifar10
from qbench.errors import EnvironmentLacks

RNG = np.random.default_rng(0)
RECORDS = RNG.integers(0, 256, (6, 16, 3073), np.uint8)
RECORDS[:, :, 0] %= 10


def archive():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for index, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            info.size = RECORDS[index].nbytes
            tar.addfile(info, io.BytesIO(RECORDS[index].tobytes()))
    return out.getvalue()


class Handler(BaseHTTPRequestHandler):
    """Serves one file; `breaks` closes the connection half way, `ranges` honours Range."""

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.ranges else 0
        if start >= len(server.content):
            self.send_error(416)
            return
        body = server.content[start:]
        self.send_response(206 if asked and server.ranges else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if server.breaks else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.content, running.asked = archive(), []
        running.breaks, running.ranges = False, True
        running.url = f"http://127.0.0.1:{running.server_port}/cifar.tar.gz"
        thread = threading.Thread(target=functools.partial(running.serve_forever, poll_interval=0.01))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def load(server, tmp_path, monkeypatch):
    monkeypatch.setenv("QBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    sha256 = hashlib.sha256(server.content).hexdigest()
    return lambda: load_cifar10(url=server.url, sha256=sha256)


def test_images_and_labels(load):
    data = load()
    assert (data.name, data.domain, len(data.train), len(data.test)) == ("cifar10", IMAGE, 80, 16)
    assert data.test.y.tolist() == RECORDS[5, :, 0].tolist()
    red_plane = RECORDS[0, 1, 1:1025].reshape(32, 32)
    assert np.array_equal(data.train.x[1, :, :, 0], red_plane)
    assert data.classes[3] == "cat"


def test_it_is_downloaded_once(load, server):
    first = load()
    server.shutdown()
    assert load().fingerprint == first.fingerprint
    assert server.asked == [None]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on_where_it_stopped(load, server, tmp_path, ranges):
    server.breaks, server.ranges = True, ranges
    with pytest.raises(EnvironmentLacks, match="cannot download") as caught:
        load()
    assert "goes on where it stopped" in caught.value.hint
    (part,) = (tmp_path / "downloads").iterdir()
    kept = part.stat().st_size
    assert part.name == "cifar.tar.gz.part"
    assert 0 < kept <= len(server.content) // 2
    server.breaks = False
    assert len(load().test) == 16
    assert server.asked == [None, f"bytes={kept}-"]
    assert [path.name for path in part.parent.iterdir()] == ["cifar.tar.gz"]


def test_a_complete_part_is_accepted(load, server, tmp_path):
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "cifar.tar.gz.part").write_bytes(server.content)
    assert len(load().test) == 16


def test_an_archive_that_the_user_placed_needs_no_network(load, server, tmp_path):
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "cifar.tar.gz").write_bytes(server.content)
    assert len(load().test) == 16
    assert server.asked == []


def test_other_content_is_removed(load, server, tmp_path):
    server.content = b"Please log in to the hotel's network"
    with pytest.raises(EnvironmentLacks, match="SHA-256 differs"):
        load()
    assert list((tmp_path / "downloads").iterdir()) == []


def test_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("QBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(EnvironmentLacks) as caught:
        load_cifar10(url="http://127.0.0.1:9/cifar.tar.gz", sha256="0" * 64)
    assert "no network" in caught.value.cause
    assert str(tmp_path / "downloads" / "cifar.tar.gz") in caught.value.hint


def test_a_folder_that_cannot_be_written(server, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("QBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(EnvironmentLacks) as caught:
        load_cifar10(url=server.url, sha256="0" * 64)
    assert "QBENCH_CACHE" in caught.value.hint


def test_it_is_registered():
    assert DATASETS["cifar10"].load is load_cifar10
