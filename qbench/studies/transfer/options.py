"""The options of the analysis `transfer`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from qbench.options import Threads, Typed
from qbench.runtimes import REFERENCE
from qbench.studies.base import StudyOptions


class TransferOptions(StudyOptions):
    """See the fields."""

    runtimes: Annotated[
        tuple[str, ...],
        Field(
            min_length=1,
            description="On which targets run, where they have its artefact; else their Keras network does.",
        ),
        Typed(flags=("--runtime",)),
    ] = (REFERENCE,)
    threads: Threads = None
