"""Figures of a replay that only some tasks have, or that have to be asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Detection, Proportion, RuntimeScores
from qbench.replaying.scores import Outputs
from qbench.statistics import mean, proportion
from qbench.tasks.roc import auc, partial_auc


def with_top(found: RuntimeScores, outputs: Outputs, truth: NDArray[np.int64], top: int) -> RuntimeScores:
    """The figures of a runtime with those of its `top` highest scores; of equal ones the first is higher."""
    clean, *by_eps = (_among_highest(rows, truth, top) for rows in outputs.rows)
    pairs = zip(found.by_eps, by_eps, strict=True)
    return found.model_copy(
        update={"top": clean, "by_eps": tuple(at.model_copy(update={"top": share}) for at, share in pairs)}
    )


def _among_highest(rows: NDArray[Any], truth: NDArray[np.int64], top: int) -> Proportion:
    own = rows[np.arange(len(rows)), truth][:, np.newaxis]
    first = np.arange(rows.shape[1]) < truth[:, np.newaxis]
    before = ((rows > own) | ((rows == own) & first)).sum(axis=1)
    return proportion(before < top)


def with_detection(
    found: RuntimeScores,
    outputs: Outputs,
    truth: NDArray[np.int64],
    targets: NDArray[np.int64] | None = None,
) -> RuntimeScores:
    """The figures of a runtime with those of an anomaly detector.

    An attacker with a target leaves alone what has that label: of those inputs the clean scores count.

    Args:
        found: the figures so far.
        outputs: with rows of threshold and error.
        truth: [n], 1 where anomalous.
        targets: [n], the labels that the attack was to reach, if it had any.
    """
    clean, *by_eps = outputs.rows
    left = np.zeros(len(truth), bool) if targets is None else targets == truth
    attacked = [np.where(left[:, np.newaxis], clean, rows) for rows in by_eps]
    pairs = zip(found.by_eps, attacked, strict=True)
    return found.model_copy(
        update={
            "detection": _detection(clean, truth),
            "by_eps": tuple(
                at.model_copy(update={"detection": _detection(rows, truth)}) for at, rows in pairs
            ),
        }
    )


def with_errors(found: RuntimeScores, outputs: Outputs) -> RuntimeScores:
    """The figures of a runtime with the mean errors of a regression, each with its bootstrap interval.

    Args:
        found: the figures so far.
        outputs: with rows of tolerance and error.
    """
    clean, *by_eps = (mean(rows[:, 1]) for rows in outputs.rows)
    pairs = zip(found.by_eps, by_eps, strict=True)
    return found.model_copy(
        update={
            "error": clean,
            "by_eps": tuple(at.model_copy(update={"error": error}) for at, error in pairs),
        }
    )


def _detection(rows: NDArray[np.float32], truth: NDArray[np.int64]) -> Detection:
    reported = rows.argmax(axis=1) == 1
    return Detection(
        auc=auc(rows[:, 1], truth),
        pauc=partial_auc(rows[:, 1], truth),
        missed=proportion(~reported, truth == 1),
        false_alarms=proportion(reported, truth == 0),
    )
