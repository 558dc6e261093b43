"""A command's options, from the record of the stage that it calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import annotated_types
import click
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from qbench.options import Options, RunOptions, Typed

F = TypeVar("F", bound=Callable[..., Any])


class _Read(click.ParamType[Any]):
    """Text that the field's own type reads, such as a fraction."""

    def __init__(self, field: FieldInfo, metavar: str) -> None:
        self.name = metavar
        annotation: Any = Annotated[(field.annotation, *field.metadata, None)]
        self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value; a text that means nothing is refused with the type's own words."""
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            self.fail(error.errors()[0]["msg"].removeprefix("Value error, "), param, ctx)


def record_options(record: type[Options], *, without: Collection[str] = ()) -> Callable[[F], F]:
    """Give a command the options of a record, those that every stage has last.

    Args:
        record: of the stage.
        without: fields that the command gives in its own way.
    """

    def decorate(function: F) -> F:
        shared = set(RunOptions.model_fields) | {"seed"}
        fields = list(record.model_fields.items())[::-1]
        for name, field in sorted(fields, key=lambda each: each[0] not in shared):
            typed = next((each for each in _metadata(field) if isinstance(each, Typed)), Typed())
            if not typed.never and name not in without:
                function = _option(name, field, typed)(function)
        return function

    return decorate


def _option(name: str, field: FieldInfo, typed: Typed) -> Callable[[F], F]:
    """One option; a default that says nothing, or that the help explains, is not shown."""
    plain = name.replace("_", "-")
    shared: dict[str, Any] = {"help": field.description, "default": field.default}
    bare = _without_none(field.annotation)
    if bare is bool:
        on_off = field.default is True
        flags = typed.flags or (f"--{plain}/--no-{plain}" if on_off else f"--{plain}",)
        return click.option(*flags, name, is_flag=True, show_default=on_off, **shared)
    if field.is_required():
        shared = {"help": field.description, "required": True}
    # A tuple is either one text, which the field's type reads, or an option to be repeated.
    several = get_origin(bare) is tuple and (typed.metavar is None or bool(typed.flags))
    item = _item(bare) if several else bare
    kind = _kind(item, field, typed)
    shown = field.default not in (None, ()) and not field.is_required()
    return click.option(
        *(typed.flags or (f"--{plain}",)),
        name,
        type=kind,
        metavar=None if isinstance(kind, _Read) else typed.metavar,
        multiple=several,
        show_default=shown,
        **shared,
    )


def _kind(item: Any, field: FieldInfo, typed: Typed) -> Any:
    if typed.file:
        return click.File("w")
    if typed.metavar and item is not str and not typed.flags:
        return _Read(field, typed.metavar)
    return _click_type(item, field)


def _click_type(annotation: Any, field: FieldInfo) -> Any:
    """Click's own type where there is one."""
    if get_origin(annotation) is Literal:
        return click.Choice(get_args(annotation))
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if bare is Path:
        return click.Path(path_type=Path)
    metadata = _metadata(field)
    low: Any = next((each.ge for each in metadata if isinstance(each, annotated_types.Ge)), None)
    high: Any = next((each.le for each in metadata if isinstance(each, annotated_types.Le)), None)
    bounded = low is not None or high is not None
    if bare is int:
        return click.IntRange(low, high) if bounded else click.INT
    if bare is float:
        return click.FloatRange(low, high) if bounded else click.FLOAT
    return click.STRING


def _metadata(field: FieldInfo) -> list[Any]:
    """All that is said of a field's type, at whatever depth of it."""
    return [*field.metadata, *_nested_metadata(field.annotation)]


def _nested_metadata(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        for each in annotation.__metadata__:
            yield from getattr(each, "metadata", None) or [each]
    for part in get_args(annotation):
        yield from _nested_metadata(part)


def _item(annotation: Any) -> Any:
    return get_args(annotation)[0]


def _without_none(annotation: Any) -> Any:
    """The type of a value that is given."""
    if get_origin(annotation) in (Union, UnionType):
        kinds = [each for each in get_args(annotation) if each is not NoneType]
        return _without_none(kinds[0]) if len(kinds) == 1 else annotation
    if get_origin(annotation) is Annotated and get_origin(get_args(annotation)[0]) in (Union, UnionType):
        return _without_none(get_args(annotation)[0])
    return annotation
