"""Reading an experiment's file: what is wrong in it is said with its line and the nearest key."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from qbench import zoo
from qbench.attacks import find_attack, find_preset
from qbench.errors import UserError, unknown_name
from qbench.experiment.specification import AttackKeys, Specification, StudyEntry, folder_name
from qbench.options import checked, settable
from qbench.runtimes import runtime_class
from qbench.studies import find_analysis
from qbench.surrogate.registry import check_surrogate

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Location = Sequence[int | str]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")


def read(path: Path) -> Specification:
    """Read and check an experiment's file.

    Raises:
        UserError: it is not TOML, or says something that means nothing: which line, and the nearest key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        spec = Specification.model_validate(tomllib.loads(text))
    except OSError as error:
        raise UserError(f"{path} cannot be read", cause=error.strerror, hint="check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not TOML", cause=str(error)) from error
    except RecursionError as error:
        raise UserError(
            f"{path} is nested too deeply", hint="an experiment needs no list in a list"
        ) from error
    except ValidationError as error:
        raise _explain(path, text, error) from error
    for location, check in _checks(spec):
        _said_with_line(path, text, location, check)
    return spec


def _said_with_line(path: Path, text: str, location: Location, check: Callable[[], object]) -> None:
    """Make a check, and say where in the file it failed."""
    try:
        check()
    except UserError as error:
        where = f"{path}, line {line_of(text, location)}"
        raise UserError(f"{where}: {error.what}", cause=error.cause, hint=error.hint) from error


def line_of(text: str, location: Location) -> int:
    """The line, from 1, of a key of a TOML document; of the nearest thing around it if it has none.

    Args:
        text: the document.
        location: keys from the outermost in, and numbers of entries in arrays of tables.
    """
    keys = [str(part) for part in location if isinstance(part, str)]
    entry = next((part for part in location if isinstance(part, int)), 0)
    best, depth, seen = 1, 0, -1
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            table = [part.strip(" \"'") for part in header[2].split(".")]
            seen += header[1] == "[[" and table == keys[:1]
        found = table if header else [*table, *_key(line)]
        inside = table[:1] != keys[:1] or seen in (-1, entry)
        if inside and len(found) > depth and found == keys[: len(found)]:
            best, depth = number, len(found)
    return best


def _key(line: str) -> list[str]:
    """The key that a line assigns, in parts."""
    match = re.match(r"""^\s*([\w.\-"' ]+?)\s*=""", line)
    return [part.strip(" \"'") for part in match[1].split(".")] if match else ["\0"]


def _explain(path: Path, text: str, error: ValidationError) -> UserError:
    """The first mistake of a file, in words."""
    unknown = "extra_forbidden"  # first, as what seems missing may just be misspelt
    first = min(error.errors(), key=lambda each: (each["type"] != unknown, line_of(text, each["loc"])))
    location = first["loc"]
    where = f"{path}, line {line_of(text, location)}"
    keys = [str(part) for part in location if isinstance(part, str)]
    if first["type"] == unknown:
        near = unknown_name("key", keys[-1], _known(keys[:-1]))
        return UserError(f"{where}: {near.what}", hint=near.hint)
    if first["type"] == "missing":
        around = f"[{'.'.join(keys[:-1])}]" if keys[:-1] else "the file"
        return UserError(f"{where}: {around} lacks {keys[-1]!r}", hint="see docs/experiments.md")
    said = first["msg"].removeprefix("Value error, ")
    return UserError(f"{where}: {'.'.join(keys) or 'the file'}: {said}", hint="see docs/experiments.md")


def _known(keys: Sequence[str]) -> list[str]:
    """The keys of the table at that place."""
    model: type[BaseModel] = Specification
    for key in keys:
        model = _model_in(model.model_fields[key].annotation) or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The table that a type speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _checks(spec: Specification) -> Iterator[tuple[Location, Callable[[], object]]]:
    """Names that must be known, each with its place."""
    for i, network in enumerate(spec.network):
        if network.model is not None:
            yield ("network", i, "model"), partial(zoo.find_network, network.model)
        for name in network.runtimes or ():
            yield ("network", i, "runtimes"), partial(runtime_class, name)
    for name in spec.replay.runtimes:
        yield ("replay", "runtimes"), partial(runtime_class, name)
    yield ("network",), spec.networks
    known = [each.name for each in spec.networks()]
    for i, attack in enumerate(spec.attack):
        yield ("attack", i, "attack" if attack.attack else "name"), partial(find_preset, attack.method)
        yield ("attack", i, "settings"), partial(_check_settings, attack)
        for surrogate in getattr(attack, "surrogate", ()):
            yield ("attack", i, "surrogate"), partial(check_surrogate, surrogate)
        for name in attack.networks or ():
            yield ("attack", i, "networks"), partial(_check_known, name, known)
    yield ("attack",), spec.attacks
    yield from _study_checks(spec, known)


def _study_checks(
    spec: Specification, networks: Sequence[str]
) -> Iterator[tuple[Location, Callable[[], object]]]:
    attacks = [each.name for each in spec.attacks()]
    for i, study in enumerate(spec.study):
        yield ("study", i, "analysis" if study.analysis else "name"), partial(find_analysis, study.kind)
        yield ("study", i, "settings"), partial(_check_options, study)
        for name in study.networks or ():
            yield ("study", i, "networks"), partial(_check_known, name, networks)
        for name in study.attacks or ():
            yield ("study", i, "attacks"), partial(_check_known, folder_name(name), attacks, "attack")
    yield ("study",), spec.studies


def _check_settings(entry: AttackKeys) -> None:
    preset = find_preset(entry.method)
    kind = find_attack(preset.attack)
    kind.configure(**{**preset.settings, **entry.settings})
    kind.choose_norm(entry.value("norm") or preset.norm)
    kind.choose_goal(entry.value("target") is not None)


def _check_options(entry: StudyEntry) -> None:
    """Refuse options that the analysis does not have, that the run itself gives, or that mean nothing."""
    record = find_analysis(entry.kind).options
    for name in entry.settings:
        if name not in settable(record):
            raise unknown_name("setting", name, settable(record))
    checked(record, entry.settings)


def _check_known(name: str, known: Sequence[str], what: str = "network") -> None:
    if name not in known:
        raise unknown_name(what, name, known)
