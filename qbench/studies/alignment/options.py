"""The options of the analysis `alignment`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from qbench.options import Count, Typed
from qbench.studies.base import SeededStudyOptions


class AlignmentOptions(SeededStudyOptions):
    """See the fields."""

    surrogates: Annotated[
        tuple[str, ...],
        Field(
            min_length=1,
            description="Whose gradients; a network takes part with every one that it has the file of.",
        ),
        Typed(flags=("--surrogate",)),
    ] = ("float",)
    count: Annotated[Count, Field(description="Inputs.")] = 256
