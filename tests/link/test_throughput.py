"""The promise of the window: a slow wire is full, a slow device never waits."""

from __future__ import annotations

import pytest

from .affine_device import PLAIN, compile_host
from .throughput import measure, wire_seconds

# A machine that is busy with other things can only spoil a figure, so the first good one counts.
ATTEMPTS = 4


@pytest.fixture(scope="module")
def fast_host(tmp_path_factory):
    return compile_host(tmp_path_factory.mktemp("fast") / "qbench-host", *PLAIN)


@pytest.mark.parametrize(("payload", "count"), [(3072, 8), (490, 50)])
def test_the_wire_is_full_when_it_is_the_bottleneck(fast_host, tmp_path, payload, count):
    compute = 0.05 * wire_seconds(payload)
    runs = (measure(tmp_path, fast_host, payload, compute, count, ring=8192) for _ in range(ATTEMPTS))
    efficiency = next((share for share, _ in runs if share >= 0.95), 0.0)
    assert 0.95 <= efficiency <= 1.0


def test_the_device_never_waits_when_computing_is_the_bottleneck(fast_host, tmp_path):
    compute = 1.5 * wire_seconds(490)
    runs = (measure(tmp_path, fast_host, 490, compute, 30, ring=2048) for _ in range(ATTEMPTS))
    idle = next((share for _, share in runs if share < 0.03), 1.0)
    assert 0.0 <= idle < 0.03
