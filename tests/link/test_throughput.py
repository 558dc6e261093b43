"""The promise of the window: a slow wire is full, a slow device never waits."""

from __future__ import annotations

import pytest

from .affine_device import PLAIN, compile_host
from .throughput import measure, wire_seconds


@pytest.fixture(scope="module")
def fast_host(tmp_path_factory):
    return compile_host(tmp_path_factory.mktemp("fast") / "qbench-host", *PLAIN)


@pytest.mark.parametrize(("payload", "count"), [(3072, 10), (490, 60)])
def test_the_wire_is_full_when_it_is_the_bottleneck(fast_host, tmp_path, payload, count):
    efficiency, _ = measure(tmp_path, fast_host, payload, 0.05 * wire_seconds(payload), count, ring=8192)
    assert 0.95 <= efficiency <= 1.0


def test_the_device_never_waits_when_computing_is_the_bottleneck(fast_host, tmp_path):
    _, idle = measure(tmp_path, fast_host, 490, 1.5 * wire_seconds(490), 40, ring=2048)
    assert 0.0 <= idle < 0.03
