"""qbench: how robust is the quantized network that actually runs on the device?

Each stage is one function from artefact folders to an artefact folder, and one command over it:
`train`, `export`, `attack`, `replay`, `report`; `check` judges a replay.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qbench.stages.attack.run import attack
    from qbench.stages.check import check
    from qbench.stages.export.run import export
    from qbench.stages.replay.run import replay
    from qbench.stages.report.run import report
    from qbench.stages.train.run import train

__version__ = "0.1.0"
__all__ = ["attack", "check", "export", "replay", "report", "train"]


def __getattr__(name: str) -> Any:
    """Import a stage when it is first used, so that `import qbench` stays fast."""
    if name in __all__:
        module = "qbench.stages.check" if name == "check" else f"qbench.stages.{name}.run"
        return getattr(import_module(module), name)
    raise AttributeError(f"module 'qbench' has no attribute {name!r}")
