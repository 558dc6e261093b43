"""What the header of an advset says."""

from __future__ import annotations

from typing import Literal

from qbench.artifacts.base import ArraySpec, Content, Record
from qbench.artifacts.inputs import DataInfo, Distance, Preprocessing
from qbench.artifacts.tasks import TaskInfo
from qbench.quant import Norm


class CountSummary(Record):
    """Least, median and most of a count: what single inferences cost, how often an oracle was asked."""

    min: int
    median: int
    max: int


class Sizes(Record):
    """Mean size of perturbations, in the domain's unit; `l0` is a number of elements."""

    l0: float
    l1: float
    l2: float
    linf: float


class EpsResult(Record):
    """What an attack did at one budget, measured on the network that it attacked.

    Attributes:
        eps: the budget, in the domain's unit.
        file: the adversarial inputs, [count, *shape] float32.
        correct: how many of all inputs the network still classifies right.
        unchanged: how many inputs came back equal to the clean ones.
        sizes: of the successes, inputs that were classified right and are no more; None if there is none.
        queries: how often the attack asked for each input; None if it never did.
        snr_db: of a waveform, the mean signal-to-noise ratio of the successes in decibels; None of other
            inputs, or without successes.
        reached: how many inputs with another label than their target the network gives it; None where there
            are no targets.
    """

    eps: Distance
    file: str
    correct: int
    unchanged: int
    sizes: Sizes | None
    queries: CountSummary | None
    reached: int | None = None
    snr_db: float | None = None


class Finding(Record):
    """A sign that an attack's result understates what an attacker can do.

    Attributes:
        check: its name.
        eps: the budget that it was found at; None if it concerns all.
        count, total: inputs that show it, of those that were looked at.
        explanation: what it means, in a line.
        anchor: where the documentation says more.
    """

    check: str
    eps: float | None
    count: int
    total: int
    explanation: str
    anchor: str


class RuntimeInfo(Record):
    """A runtime as it was found on this machine; two runs are comparable only if these are equal."""

    name: str
    artifact: str
    package: str
    version: str
    kernels: str
    threads: int


class AdvsetContent(Content):
    """Adversarial inputs, with the clean ones that they came from.

    Attributes:
        attack: its name, followed by the target if there is one.
        surrogate: the network whose logits are stored: the one with the gradient, or else the oracle's name.
        oracle: the runtime or device that was attacked by queries, if one was.
        findings: of the checks; None if they were not asked for.
        target: the number of the class that the attack was to reach, or `least-likely`; None if any would do.
        aimed: inputs with another label than their target; None without targets.
        task: of the attacked network.
    """

    data: DataInfo
    preprocessing: Preprocessing
    attack: str
    norm: Norm
    surrogate: str
    oracle: RuntimeInfo | None
    grid: Literal["float", "uint8"]
    count: int
    clean_correct: int
    results: tuple[EpsResult, ...]
    findings: tuple[Finding, ...] | None
    target: str | None = None
    aimed: int | None = None
    task: TaskInfo = TaskInfo()

    def arrays(self) -> dict[str, ArraySpec]:
        """Of each budget two, and the clean inputs' four; labels are among the classes."""
        n, classes = self.count, len(self.data.classes)
        scores = classes if self.data.values is None else self.data.values
        inputs, logits = ArraySpec((n, *self.data.input_shape), "float32"), ArraySpec((n, scores), "float32")
        labels = ArraySpec((n,), "int64", classes)
        found = {"inputs.npy": inputs, "labels.npy": labels, "logits-clean.npy": logits}
        found["indices.npy"] = ArraySpec((n,), "int64")
        if self.data.values is not None:
            found["values.npy"] = ArraySpec((n, self.data.values), "float32")
        for each in self.results:
            found |= {each.file: inputs, f"logits-{each.file}": logits}
        return found if self.target is None else {**found, "targets.npy": labels}
