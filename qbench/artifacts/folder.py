"""Reading and writing artefact folders: header, hashes, atomic writes, and finding finished work again."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Generic

from filelock import FileLock, Timeout
from pydantic import JsonValue, ValidationError

from qbench.artifacts.base import Content
from qbench.artifacts.checking import MANIFEST, check_array, check_files, sha256_of
from qbench.artifacts.environment import environment
from qbench.artifacts.manifest import SCHEMA_VERSION, ContentT, FileRecord, FolderKind, Manifest, manifest_of
from qbench.artifacts.versions import versions_of
from qbench.errors import EnvironmentLacks, InternalFault, UserError

_MADE_BY: dict[FolderKind, str] = {
    "trained": "train",
    "bundle": "export",
    "advset": "attack",
    "replay": "replay",
    "report": "report",
    "study": "study",
}
_LOCK, _HOLDER = ".lock", ".holder"
# Of a header in bytes: far more than thousands of files or classes need.
_LONGEST_HEADER = 1 << 26


@dataclass(frozen=True)
class Recipe:
    """All that determines the bytes of an artefact.

    Attributes:
        settings: every setting of the stage, JSON values only.
        inputs: by role, the hash of each artefact, file or data set that goes in.
        seed: of every random draw.
        versions: of what computes it here: after an upgrade it is other work.
    """

    kind: FolderKind
    settings: dict[str, JsonValue]
    inputs: dict[str, str]
    seed: int = 0
    versions: dict[str, str] = field(init=False)
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", versions_of(self.kind))
        parts = [SCHEMA_VERSION, self.kind, self.settings, self.inputs, self.seed, self.versions]
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        object.__setattr__(self, "key", hashlib.sha256(text.encode()).hexdigest())


@dataclass(frozen=True)
class Artifact(Generic[ContentT]):
    """A finished artefact folder.

    Attributes:
        reused: the folder was there already, finished by the same recipe.
    """

    path: Path
    manifest: Manifest[ContentT]
    reused: bool = False

    @property
    def content(self) -> ContentT:
        """The part of the header that is particular to its kind."""
        return self.manifest.content


class Draft:
    """An artefact folder in the making, hidden beside its place until it is committed.

    Used as a context manager. Its name carries the recipe's key, so the same command after an interruption
    finds its own half-done work and no other.
    """

    def __init__(self, out: Path, recipe: Recipe, *, force: bool = False) -> None:
        self.out, self.recipe, self._force = out, recipe, force
        self.path = out.parent / f".{out.name}.{recipe.key[:12]}.partial"
        self.resumed = self.path.exists()
        self._lock = FileLock(self.path / _LOCK)

    def __enter__(self) -> Draft:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise EnvironmentLacks(
                f"another process is writing {self.out}",
                cause=self._holder(),
                hint="wait for it, then run the same command again",
            ) from error
        except OSError as error:
            _explain_disk_error(error, self.path.parent)
            raise
        (self.path / _HOLDER).write_text(f"process {os.getpid()} on {platform.node()}")
        return self

    def _holder(self) -> str | None:
        """Who holds the lock, as far as it says."""
        try:
            return (self.path / _HOLDER).read_text()
        except OSError:
            return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, UserError) and all(p.name in (_LOCK, _HOLDER) for p in self.path.rglob("*")):
            shutil.rmtree(self.path)  # refused before anything was computed
        self._lock.release()
        if isinstance(error, OSError):
            _explain_disk_error(error, self.path.parent)

    def _check_unfinished(self) -> None:
        """Refuse to replace what another command has finished since this one began."""
        finished = (self.out / MANIFEST).is_file()
        if finished and not self._force:
            raise UserError(
                f"{self.out} was written by another command meanwhile",
                hint="choose another --out, or --force to replace it; nothing of this work is lost",
            )

    def commit(self, content: ContentT) -> Artifact[ContentT]:
        """Hash all files, write the header, and rename the folder into its place.

        Raises:
            InternalFault: an array is not as long as its header says.
            UserError: another command has written the folder meanwhile.
        """
        try:
            for array in sorted(self.path.rglob("*.npy")):
                check_array(array)
        except UserError as error:
            again = "remove the folder and run the same command again"
            raise InternalFault(error.what, cause=error.cause, hint=again) from error
        manifest = manifest_of(self.recipe.kind)(
            schema_version=SCHEMA_VERSION,
            kind=self.recipe.kind,
            key=self.recipe.key,
            settings=self.recipe.settings,
            inputs=self.recipe.inputs,
            seed=self.recipe.seed,
            versions=self.recipe.versions,
            files={
                str(p.relative_to(self.path).as_posix()): FileRecord(
                    sha256=sha256_of(p), bytes=p.stat().st_size
                )
                for p in sorted(self.path.rglob("*"))
                if p.is_file() and p.name not in (MANIFEST, _LOCK, _HOLDER)
            },
            environment=environment(),
            content=content,
        )
        (self.path / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
        if self.out.exists():
            self._check_unfinished()
            _make_way(self.out)
        for name in (_HOLDER, _LOCK):
            (self.path / name).unlink(missing_ok=True)
        self.path.rename(self.out)
        return Artifact(self.out, manifest)


def _explain_disk_error(error: OSError, where: Path) -> None:
    """Raise what a disk did to us, in words; return if the error is of another sort."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise EnvironmentLacks(
            f"the disk that holds {where} is full",
            hint="make room and run the same command again: it goes on where it stopped",
        ) from error
    if error.errno == errno.ENAMETOOLONG:
        raise UserError("the name of the folder is too long", hint="choose a shorter --out") from error
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
        raise UserError(
            f"cannot write in {where}", cause=error.strerror, hint="choose another --out"
        ) from error


def begin(out: Path, recipe: Recipe, *, force: bool = False) -> Draft | Artifact[Any]:
    """Start an artefact folder, or return the finished one that is there already.

    Raises:
        UserError: `out` holds something else, and `force` is not given.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100 - a link as --out stays a link
    try:
        out.exists()
    except OSError as error:
        _explain_disk_error(error, out.parent)
        raise
    if force or not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return Draft(out, recipe, force=force)
    if not (out / MANIFEST).is_file():
        raise UserError(
            f"{out} exists and is not a qbench folder",
            hint="choose another --out, or --force to move it aside",
        )
    found = load(out).manifest
    if found.key == recipe.key:
        return Artifact(out, found, reused=True)
    changed = _differences(found, recipe)
    raise UserError(
        f"{out} holds another {found.kind}",
        cause=f"it differs in {', '.join(changed)}",
        hint="choose another --out, or --force to replace it",
    )


def make(
    out: str | Path, recipe: Recipe, write: Callable[[Draft], Content], *, force: bool = False
) -> Artifact[Any]:
    """The finished folder that the same recipe made before, or a new one; half-done work is taken up.

    Args:
        out: the folder.
        recipe: all that determines its bytes.
        write: fills the draft, and returns what the header says of it.
        force: replace what `out` holds.

    Raises:
        UserError: `out` holds something else, and `force` is not given.
    """
    started = begin(Path(out), recipe, force=force)
    if isinstance(started, Artifact):
        return started
    with started as draft:
        return draft.commit(write(draft))


def load(path: Path, kind: FolderKind | None = None) -> Artifact[Any]:
    """Read the header of an artefact folder and check every file against it.

    Raises:
        UserError: not an artefact folder, of another kind or schema, or a file was changed or lost.
    """
    header = path / MANIFEST
    text = _header_text(path, kind)
    try:
        raw = json.loads(text)
        found, version = raw["kind"], raw["schema_version"]
        model = manifest_of(found)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damage_error(header, f"it is no header that qbench writes ({_short(error)})") from error
    if type(version) is not int or version != SCHEMA_VERSION:
        raise UserError(
            f"{path} has schema version {version}; this qbench reads {SCHEMA_VERSION}",
            hint="make it again with this version",
        )
    if kind is not None and found != kind:
        raise UserError(
            f"{path} holds a qbench {found}; wanted here: {kind}",
            hint=f"`qbench {_MADE_BY[kind]}` makes a {kind}",
        )
    try:
        manifest = model.model_validate_json(text)
    except ValidationError as error:
        raise _damage_error(header, _first_fault(error)) from error
    check_files(path, manifest)
    return Artifact(path, manifest)


def _header_text(path: Path, kind: FolderKind | None) -> bytes:
    """The bytes of the header, of a size that one has."""
    wanted = f"a qbench {kind} folder" if kind else "a qbench folder"
    header = path / MANIFEST
    try:
        if header.stat().st_size > _LONGEST_HEADER:
            raise _damage_error(
                header, f"it has {header.stat().st_size:,} bytes, {_LONGEST_HEADER:,} at most"
            )
        return header.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} is not {wanted}",
            cause=f"{header.name}: {error.strerror or error}",
            hint="a model is made into one by `qbench export`" if path.is_file() else "check the path",
        ) from error


def _damage_error(header: Path, cause: str) -> UserError:
    return UserError(f"{header} is damaged", cause=cause, hint="make the folder again, or copy it anew")


def _first_fault(error: ValidationError) -> str:
    """Where the first error is, and what it is."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"


def made_of_others(path: Path, inputs: Iterable[Path], missing: Sequence[str] = ()) -> bool:
    """Whether a finished artefact folder was made of other folders than these, or without others.

    Args:
        path: of the folder, which need not be there.
        inputs: the folders that it should be made of.
        missing: what it has to do without, as its setting of that name records.
    """
    if not (path / MANIFEST).is_file():
        return False
    manifest = load(path).manifest
    if manifest.settings.get("missing", []) != list(missing):
        return True
    return set(manifest.inputs.values()) != {load(each).manifest.digest for each in inputs}


def _differences(found: Manifest[Any], recipe: Recipe) -> list[str]:
    """Which settings, inputs or seed tell a finished folder from the wanted one."""
    if found.kind != recipe.kind:
        return [f"kind ({found.kind}, not {recipe.kind})"]
    old: dict[str, Any] = {**found.settings, **found.inputs, "seed": found.seed}
    new: dict[str, Any] = {**recipe.settings, **recipe.inputs, "seed": recipe.seed}
    told = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))
    then, now = found.versions, recipe.versions
    upgraded = sorted(k for k in then.keys() | now.keys() if then.get(k) != now.get(k))
    return told + [f"{k} ({then.get(k, 'none')} then, {now.get(k, 'none')} now)" for k in upgraded]


def _make_way(out: Path) -> None:
    """Clear the place of a folder: ours is replaced, anything else is moved aside, never deleted."""
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()
    elif (out / MANIFEST).is_file():
        shutil.rmtree(out)
    else:
        number = 1
        while (aside := out.with_name(f"{out.name}.old-{number}")).exists():
            number += 1
        out.rename(aside)


def _short(error: Exception) -> str:
    """The first line of an error's text."""
    return (str(error).splitlines() or [type(error).__name__])[0]
