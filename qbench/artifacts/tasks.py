"""What a network's outputs mean, as the headers of bundles, advsets and replays name it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from qbench.artifacts.base import Record

TaskKind = Literal["classification", "anomaly", "regression"]


class TaskInfo(Record):
    """The task of a network.

    Attributes:
        kind: "classification"; "anomaly", where an autoencoder's reconstruction error tells normal inputs
            from anomalous ones; or "regression".
        threshold: of a network with one score, what the positive class (label 1) must exceed; of an anomaly
            detector, the mean squared error above which an input is reported; of a regression, the largest
            error that counts as right. None where the highest of several scores decides.
        sigmoid: whether the one score is a probability that a final sigmoid gives.
        output_shape: of an output, without the batch; None where there is one score a class.
    """

    kind: TaskKind = "classification"
    threshold: Annotated[float, Field(ge=-3.5e38, le=3.5e38)] | None = None
    sigmoid: bool = False
    output_shape: tuple[Annotated[int, Field(ge=1)], ...] | None = None

    @property
    def plain(self) -> bool:
        """Whether an output is itself a row of scores, the highest of which is the label."""
        return self.output_shape is None
