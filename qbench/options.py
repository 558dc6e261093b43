"""A stage's options, each said once: its type, bounds, unit, default and help.

A stage or an analysis has one record, a subclass of `Options`. From it follow the signature in Python, the
options of the command, the keys of an experiment's file, and the settings in the artefact's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, SkipValidation, ValidationError
from pydantic.json_schema import SkipJsonSchema

from qbench.errors import UserError, unknown_name
from qbench.progress import SILENT, Progress


@dataclass(frozen=True)
class Typed:
    """How an option is typed on the command line, where that does not follow from its name and type.

    Attributes:
        flags: such as `("--runtime",)` of a field `runtimes`.
        metavar: what stands for the value in the help.
        never: it has no option: only callers in Python give it.
        file: its value is the name of a file to write, or - for the standard output.
    """

    flags: tuple[str, ...] = ()
    metavar: str | None = None
    never: bool = False
    file: bool = False


def _parse_number(value: Any) -> Any:
    """A number from a fraction in quotes; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return float(Fraction(value))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"{value!r} is neither a number nor a fraction such as 8/255") from error


Count = Annotated[int, Field(ge=1)]
# A budget in the unit of the data's domain; a fraction in quotes is read.
Budget = Annotated[float, BeforeValidator(_parse_number), Field(gt=0), Typed(metavar="EPS")]


class Options(BaseModel):
    """Base of a stage's options: immutable, strict about unknown names, no infinities and no NaN."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True, populate_by_name=True
    )

    def settings(self) -> dict[str, JsonValue]:
        """The options that a result depends on, as JSON values, but for the seed."""
        found: dict[str, JsonValue] = self.model_dump(mode="json", exclude={"seed"})
        return found


class RunOptions(Options):
    """What every stage takes beside its own options; none of it changes a result."""

    force: Annotated[
        bool,
        Field(
            exclude=True,
            description="Replace an existing output folder; a folder that qbench did not write is renamed.",
        ),
    ] = False
    progress: SkipJsonSchema[Annotated[Progress, SkipValidation, Field(exclude=True), Typed(never=True)]] = (
        SILENT
    )


Seed = Annotated[int, Field(ge=0, description="Random seed.")]
Threads = Annotated[
    Count | None,
    Field(
        exclude=True,
        description="Number of parallel threads; never changes a result. Default: all cores.",
    ),
]

OptionsT = TypeVar("OptionsT", bound=Options)


def checked(record: type[OptionsT], given: Mapping[str, Any]) -> OptionsT:
    """A record from the options that are given.

    Raises:
        UserError: an option is unknown, missing, or out of its bounds.
    """
    try:
        return record(**given)
    except ValidationError as error:
        raise _explain(record, error) from error


def _explain(record: type[Options], error: ValidationError) -> UserError:
    """The first mistake, in words; an unknown name first, as what seems missing may be misspelt."""
    unknown = "extra_forbidden"
    first = min(error.errors(), key=lambda each: each["type"] != unknown)
    name = (
        ".".join(str(part) for part in first["loc"] if not str(part).startswith("function-")) or "the options"
    )
    if first["type"] == unknown:
        return unknown_name("option", name, settable(record))
    if first["type"] == "missing":
        return UserError(f"{name} is missing")
    said = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    field = record.model_fields.get(str(first["loc"][0])) if first["loc"] else None
    return UserError(
        f"{name} {said}" if said.startswith("should") else f"{name}: {said}",
        cause=f"it is {first['input']!r}",
        hint=None if field is None else field.description,
    )


def settable(record: type[Options]) -> tuple[str, ...]:
    """The options that an experiment's file may set: those that results depend on, but for the seed."""
    return tuple(name for name, field in record.model_fields.items() if not field.exclude and name != "seed")


def signature_of(record: type[Options], *leading: str) -> Signature:
    """The signature of a stage: its leading arguments, then the record's fields by name."""
    first = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in leading]
    fields = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.is_required() else field.default,
            annotation=field.annotation,
        )
        for name, field in record.model_fields.items()
    ]
    return Signature([*first, *fields])


def described(record: type[Options]) -> str:
    """A line an option: its name and what it is, for a docstring."""
    return "\n".join(f"    {name}: {field.description or ''}" for name, field in record.model_fields.items())
