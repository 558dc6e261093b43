"""Tasks: what the outputs of a network mean, in one module a task."""

from qbench.artifacts.tasks import TaskInfo
from qbench.tasks.anomaly import Anomaly
from qbench.tasks.base import Task
from qbench.tasks.classification import OneScore

__all__ = ["Task", "task_of"]


def task_of(info: TaskInfo) -> Task:
    """What a bundle's header calls its task."""
    if info.plain:
        return Task(info)
    return Anomaly(info) if info.kind == "anomaly" else OneScore(info)
