"""Which task a network has, from the shapes of its ends and the classes of the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import DataInfo, Preprocessing, TaskInfo
from qbench.errors import UserError
from qbench.frontends import FRONT_ENDS
from qbench.tasks.anomaly import anomaly_task
from qbench.tasks.classification import one_score_task
from qbench.tasks.regression import regression_task


@dataclass(frozen=True)
class Ends:
    """A network's two ends.

    Attributes:
        name: what an error calls it.
        entry, exit: shapes of an input and an output, without the batch.
        sigmoid: whether it gives one score, a probability.
        front_end: what computes its features from sound, if anything does.
    """

    name: str
    entry: tuple[int, ...]
    exit: tuple[int, ...]
    sigmoid: bool = False
    front_end: str | None = None

    @property
    def reconstructs(self) -> bool:
        """Whether an output has the form of an input."""
        return math.prod(self.entry) == math.prod(self.exit) > 1


def recognize(ends: Ends, data: DataInfo, threshold: float | None) -> TaskInfo:
    """The task of a network with data; of an anomaly detector without a threshold where none is given.

    Args:
        ends: of the network.
        data: that it is to be used with.
        threshold: as the user stated it.

    Raises:
        UserError: the network does not fit the data, is of a kind that qbench cannot attack, or has no
            threshold.
    """
    classes = len(data.classes)
    _check_entry(ends, data)
    if data.values is not None:
        return _regression(ends, data, threshold)
    if ends.exit == (1,) and classes == 2:
        return one_score_task(threshold, sigmoid=ends.sigmoid, name=ends.name)
    if ends.exit == (classes,):
        if threshold is not None:
            raise UserError(
                f"{ends.name} gives {classes} scores, the highest of which decides; a threshold has no use",
                hint="leave --threshold out",
            )
        return TaskInfo()
    if ends.reconstructs:
        if classes != 2:
            raise UserError(
                f"{ends.name} reconstructs its input, as an anomaly detector does, and {data.name} has "
                f"{classes} classes",
                cause="an anomaly detector needs two: label 0 is normal, 1 anomalous",
                hint="label the inputs 0 and 1; if there are only normal ones, name both classes: "
                "--classes normal,anomalous",
            )
        return TaskInfo(kind="anomaly", threshold=threshold, output_shape=ends.exit)
    raise _refused(ends, data)


def _check_entry(ends: Ends, data: DataInfo) -> None:
    """Refuse inputs that the network does not take, by way of a front end if there is one."""
    front_end, sound = ends.front_end, data.domain.name == "waveform"
    if front_end and not sound:
        raise UserError(
            f"{data.name} holds no sound for a front end",
            cause=f"its domain is {data.domain.name}",
            hint="leave --front-end out, or give a folder of .wav files",
        )
    shape = Preprocessing(front_end=front_end).features_shape(data.input_shape)
    if ends.entry != shape:
        behind = f", which the front end {front_end} turns into {shape}" if front_end else ""
        raise UserError(
            f"{ends.name} takes inputs of shape {ends.entry}; {data.name} has inputs of shape "
            f"{data.input_shape}{behind}",
            hint=f"name what computes its features: --front-end {' or '.join(FRONT_ENDS)}"
            if sound and not front_end
            else "give the data set that it was made for",
        )


def _regression(ends: Ends, data: DataInfo, tolerance: float | None) -> TaskInfo:
    """The task where the data have values in place of labels, without a tolerance where none is given."""
    if math.prod(ends.exit) != data.values:
        raise UserError(
            f"{ends.name} gives an output of shape {ends.exit}; the inputs of {data.name} have "
            f"{data.values} values each",
            cause="a y of floats that are no whole numbers holds the values of a regression",
            hint="give as many values an input as the network has outputs, or labels as integers",
        )
    return TaskInfo(kind="regression", threshold=tolerance, output_shape=ends.exit)


def _refused(ends: Ends, data: DataInfo) -> UserError:
    """The error for outputs that are no scores of these classes."""
    classes = len(data.classes)
    output = f"an output of shape {ends.exit}" if len(ends.exit) > 1 else f"{ends.exit[0]} scores"
    what = (
        f"{ends.name} gives {output if ends.exit != (1,) else 'one score'}; {data.name} has {classes} classes"
    )
    if ends.exit == (1,):
        return UserError(
            what,
            cause="one score tells two classes apart, or it is the value of a regression",
            hint="give data with the labels 0 and 1, or with values as float32",
        )
    if len(ends.exit) > 1:
        return UserError(
            what,
            cause="it looks like a detector, key points or a mask, whose output is no row of scores: what "
            "fools it depends on post-processing that the file does not hold",
            hint="give a classifier, an autoencoder for anomaly detection, or a network with one score",
        )
    return UserError(
        what,
        hint="give the data set that it was made for; --classes names classes that no label here has",
    )


def settled(
    task: TaskInfo, errors: Callable[[], tuple[NDArray[np.floating[Any]], NDArray[np.int64]]]
) -> TaskInfo:
    """The task with its threshold.

    Args:
        task: as recognized.
        errors: gives the errors [n] of calibration inputs, and their labels [n].

    Raises:
        UserError: the threshold is not above zero, or there is no normal input to take it from.
    """
    if task.kind == "classification" or task.output_shape is None:
        return task
    found, y = (np.empty(0), np.empty(0, np.int64)) if task.threshold is not None else errors()
    if task.kind == "regression":
        return regression_task(task.threshold, found, task.output_shape)
    return anomaly_task(task.threshold, found, y, task.output_shape)
