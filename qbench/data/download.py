"""Downloads that resume and are checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qbench.artifacts import sha256_of
from qbench.errors import EnvironmentLacks
from qbench.progress import Progress

_CONNECT_SECONDS, _READ_SECONDS = 10, 60

# What a connection that breaks may cost: the block that was being filled is lost.
_BLOCK = 1 << 16


def fetch(url: str, sha256: str, target: Path, progress: Progress) -> Path:
    """Download a file unless it is there already, and return its path.

    An interrupted download is kept as `.part` beside the target and goes on from there (HTTP Range).

    Args:
        url: http or https address.
        sha256: of the whole file, 64 hex digits; nothing else is ever placed at the target.
        target: where the file belongs.
        progress: hears of every block, in bytes.

    Raises:
        EnvironmentLacks: no network, the server does not deliver, the content is not the expected one, or
            the disk takes no more.
    """
    if target.is_file() and sha256_of(target) == sha256:
        return target
    part = target.with_name(f"{target.name}.part")
    with _explain(url, target):
        part.parent.mkdir(parents=True, exist_ok=True)
        _continue(url, part, progress)
        if sha256_of(part) != sha256:
            part.unlink()
            raise EnvironmentLacks(
                f"what {url} delivered is not the published file (SHA-256 differs); it was removed",
                cause="the transfer was damaged, or a proxy answered in the server's place",
                hint="run the command again",
            )
        return part.replace(target)


@contextmanager
def _explain(url: str, target: Path) -> Iterator[None]:
    """Turn what the network and the disk raise into words."""
    import requests

    try:
        yield
    except requests.RequestException as error:
        raise EnvironmentLacks(
            f"cannot download {url}",
            cause=f"no network, or the server does not deliver ({type(error).__name__})",
            hint=f"run the command again, it goes on where it stopped; or place the file at {target}",
        ) from error
    except OSError as error:
        raise EnvironmentLacks(
            f"cannot write in {target.parent}: {error.strerror}",
            hint="make room, or set QBENCH_CACHE to another folder",
        ) from error


def _continue(url: str, part: Path, progress: Progress) -> None:
    """Append to a partial file what it lacks; start over where the server knows no ranges."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    # No content coding: a byte range must be one of the file itself.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with requests.get(
        url, headers=headers, stream=True, timeout=(_CONNECT_SECONDS, _READ_SECONDS)
    ) as response:
        if have and response.status_code == requests.codes.requested_range_not_satisfiable:
            return  # All of it is there, or too much; the checksum tells.
        response.raise_for_status()
        resumed = response.status_code == requests.codes.partial_content
        left = int(response.headers.get("Content-Length", 0))
        with (
            part.open("ab" if resumed else "wb") as file,
            progress.task(f"downloading {part.stem}", left + (have if resumed else 0)) as advance,
        ):
            if resumed:
                advance(have)
            for block in response.iter_content(_BLOCK):
                file.write(block)
                advance(len(block))
