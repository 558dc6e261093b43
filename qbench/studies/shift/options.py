"""The options of the analysis `shift`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from qbench.options import Count
from qbench.studies.base import SeededStudyOptions


class ShiftOptions(SeededStudyOptions):
    """See the fields."""

    count: Annotated[Count, Field(description="Inputs of each advset.")] = 64
