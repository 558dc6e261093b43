"""Where data sets are found and where decoded ones are kept."""

from __future__ import annotations

import os
from pathlib import Path


def data_root() -> Path | None:
    """The folder that `$QBENCH_DATA` names, where bare data set names are looked up; None if unset."""
    root = os.environ.get("QBENCH_DATA")
    return Path(root).expanduser() if root else None


def cache_dir() -> Path:
    """Folder for downloads and decoded images: `$QBENCH_CACHE`, else the user's cache folder."""
    import platformdirs

    override = os.environ.get("QBENCH_CACHE")
    return Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("qbench"))
