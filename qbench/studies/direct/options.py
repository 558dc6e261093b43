"""The options of the analysis `direct`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from qbench.options import Count
from qbench.studies.base import SeededStudyOptions


class DirectOptions(SeededStudyOptions):
    """See the fields."""

    count: Annotated[
        Count, Field(description="Inputs of the paper's protocol, that the attacked network gets right.")
    ] = 1000
