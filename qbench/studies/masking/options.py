"""The options of the analysis `masking`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from qbench.options import Budget, Count
from qbench.studies.base import SeededStudyOptions


class MaskingOptions(SeededStudyOptions):
    """See the fields."""

    eps: Annotated[
        Budget | None,
        Field(description="Linf budget, such as 8/255; the advsets' largest if not given."),
    ] = None
    surrogate: Annotated[
        str | None,
        Field(
            description="Whose gradient is judged. If not given, float for networks trained at low widths, "
            "whose Keras network computes the same, and else lifted:clipped-ste, or float without an integer "
            "artefact."
        ),
    ] = None
    steps: Annotated[Count, Field(description="Number of PGD steps.")] = 20
    queries: Annotated[Count, Field(description="Of Square and of the finite differences (SPSA).")] = 1000
    count: Annotated[Count, Field(description="Inputs of each network, the first of its first advset.")] = 128
