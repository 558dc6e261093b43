"""What this machine has: where data sets and sources lie, programs, cores."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from pathlib import Path

from qbench.errors import EnvironmentLacks, InternalFault

# On PyPI, the name qbench belongs to another product.
DISTRIBUTION = "qbench-tinyml"

# What a build of the firmware depends on.
_SOURCE_SUFFIXES = {".c", ".h", ".S", ".ld", ".mk"}


def data_root() -> Path | None:
    """The folder that `$QBENCH_DATA` names, where bare data set names are looked up; None if unset."""
    root = os.environ.get("QBENCH_DATA")
    return Path(root).expanduser() if root else None


def cache_dir() -> Path:
    """For downloads, decoded images and built firmware: `$QBENCH_CACHE`, else the user's cache folder."""
    import platformdirs

    override = os.environ.get("QBENCH_CACHE")
    return Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("qbench"))


@functools.cache
def firmware_sources() -> Path:
    """The folder with the firmware's sources: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parent
    for folder in (package / "firmware", package.parent / "firmware"):
        if (folder / "Makefile").is_file():
            return folder
    raise InternalFault("the firmware's sources are missing", hint="install qbench again")


@functools.cache
def firmware_digest() -> str:
    """SHA-256 of the firmware's sources and Makefiles: two versions of them are never taken for one."""
    digest = hashlib.sha256()
    root = firmware_sources()
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if relative.parts[0] != "tests" and (path.suffix in _SOURCE_SUFFIXES or path.name == "Makefile"):
            digest.update(relative.as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def pip_install(extra: str = "") -> str:
    """The command that installs qbench, with one of its extras if named."""
    return f"pip install '{DISTRIBUTION}[{extra}]'" if extra else f"pip install {DISTRIBUTION}"


def require_programs(purpose: str, packages: dict[str, str]) -> None:
    """Check that programs are installed.

    Args:
        purpose: what needs them, as a sentence begins: "the runtime 'host'".
        packages: by program, the Debian packages that bring it.

    Raises:
        EnvironmentLacks: which are missing, and how to get them.
    """
    missing = [program for program in packages if shutil.which(program) is None]
    if missing:
        wanted = " ".join(sorted({packages[program] for program in missing}))
        raise EnvironmentLacks(f"{purpose} needs {' and '.join(missing)}", hint=f"apt install {wanted}")


def cores() -> int:
    """Cores that this process may use, which can be fewer than the machine has."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def memory() -> int:
    """Bytes of memory that this process may use: the machine's, or its control group's if that is less."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for file in map(Path, ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        told = file.read_text().strip() if file.is_file() else "max"
        limits += [int(told)] if told.isdigit() else []
    return min(limits)
