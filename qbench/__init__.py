"""qbench: how robust is the quantized network that actually runs on the device?

Each stage is one function from artefact folders to an artefact folder, and one command over it:
`train`, `export`, `attack`, `replay`, `report`; `check` judges a replay.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qbench.stages.attack import attack
    from qbench.stages.check import check
    from qbench.stages.export import export
    from qbench.stages.replay import replay
    from qbench.stages.report import report
    from qbench.stages.train import train

__version__ = "0.1.0"
__all__ = ["attack", "check", "export", "replay", "report", "train"]


def __getattr__(name: str) -> Any:
    """Import a stage when it is first used, so that `import qbench` stays fast."""
    if name in __all__:
        return getattr(import_module(f"qbench.stages.{name}"), name)
    raise AttributeError(f"module 'qbench' has no attribute {name!r}")
