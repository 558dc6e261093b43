"""The base of all records of an artefact's header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, field_validator

from qbench.text import clean


class ArraySpec(NamedTuple):
    """What an array of a folder must be.

    Attributes:
        dtype: its name; any if empty.
        below: of labels, the number of classes; None of other arrays.
    """

    shape: tuple[int, ...]
    dtype: str
    below: int | None = None


class Record(BaseModel):
    """Immutable, strict about unknown keys; its strings are plain text, its numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _clean(cls, value: Any) -> Any:
        return clean(value)


class Content(Record):
    """Base of the part of a header that is particular to its kind."""

    def arrays(self) -> Mapping[str, ArraySpec]:
        """By file name, the arrays that the folder must hold, and of what shape."""
        return {}
