"""Tasks: what the outputs of a network mean, in one module a task."""

from qbench.artifacts.tasks import TaskInfo
from qbench.tasks.anomaly import Anomaly
from qbench.tasks.base import Task
from qbench.tasks.classification import OneScore
from qbench.tasks.regression import Regression

__all__ = ["Task", "task_of"]


def task_of(info: TaskInfo) -> Task:
    """What a bundle's header calls its task."""
    if info.plain:
        return Task(info)
    return {"anomaly": Anomaly, "regression": Regression, "classification": OneScore}[info.kind](info)
