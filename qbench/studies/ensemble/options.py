"""The options of the analysis `ensemble`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from qbench.options import Count, Threads
from qbench.runtimes import REFERENCE
from qbench.studies.base import SeededStudyOptions


class EnsembleOptions(SeededStudyOptions):
    """See the fields."""

    agreement: Annotated[
        int | None,
        Field(
            ge=2,
            description="Members that must agree for an input to be accepted; all if not given.",
        ),
    ] = None
    surrogate: Annotated[
        str,
        Field(
            description="Whose gradients the adaptive attack follows; float where a member lacks its file."
        ),
    ] = "float"
    runtime: Annotated[str, Field(description="That members run on, where they have its artefact.")] = (
        REFERENCE
    )
    steps: Annotated[Count, Field(description="Of the adaptive attack.")] = 40
    count: Annotated[Count, Field(description="Inputs of the adaptive attack.")] = 256
    threads: Threads = None
