"""The analyses of Bernhard, Moellic and Dutertre (arXiv 1909.12741), each over artefact folders.

An analysis is a package of its own: `options.py`, its options; `content.py`, what it finds; `run.py`, how;
`tables.py` and, where a picture helps, `plot.py`, how it is shown. Its `__init__.py` makes an `Analysis` of
them, a function `(inputs, out, **options) -> Artifact[StudyContent]`: inputs are folders in any order, `out`
is the folder to write. Another package adds its own as an entry point of the group `qbench.analyses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qbench.registry import Registry

if TYPE_CHECKING:
    from qbench.studies.base import Analysis

ANALYSES: Registry[Analysis[Any]] = Registry(
    "analysis",
    "qbench.analyses",
    {
        "direct": "qbench.studies.direct:direct",
        "transfer": "qbench.studies.transfer:transfer",
        "masking": "qbench.studies.masking:masking",
        "alignment": "qbench.studies.alignment:alignment",
        "shift": "qbench.studies.shift:shift",
        "ensemble": "qbench.studies.ensemble:ensemble",
        "claims": "qbench.studies.claims:claims",
    },
)


def find_analysis(name: str) -> Analysis[Any]:
    """The analysis of that name.

    Raises:
        UserError: there is none; the nearest name is suggested.
        EnvironmentLacks: the package that brings it cannot be imported.
    """
    return ANALYSES.load(name)
