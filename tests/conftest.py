"""Fixtures for the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _isolated_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep decoded images out of the user's own cache, unless the run names one."""
    os.environ.setdefault("QBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with real data sets; tests that need it skip without it."""
    root = os.environ.get("QBENCH_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("QBENCH_DATA names no folder with data sets")
    return Path(root)
