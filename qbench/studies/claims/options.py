"""The options of the analysis `claims`: it has none of its own."""

from __future__ import annotations

from qbench.studies.base import StudyOptions


class ClaimsOptions(StudyOptions):
    """What every analysis takes."""
