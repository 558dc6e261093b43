"""What the header of a replay says."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from qbench.artifacts.advsets import CountSummary, RuntimeInfo
from qbench.artifacts.base import ArraySpec, Content, Record
from qbench.artifacts.figures import Estimate, Proportion
from qbench.artifacts.inputs import DataInfo, Distance
from qbench.artifacts.tasks import TaskInfo
from qbench.quant import Norm
from qbench.text import file_name


class Detection(Record):
    """How well a runtime's scores tell anomalous inputs (label 1) from normal ones (label 0).

    Attributes:
        auc: area under the ROC curve, with DeLong's interval.
        pauc: the same up to a false alarm rate of 0.1, standardized (McClish), with a bootstrap interval.
        missed: anomalous inputs below the threshold, over all anomalous ones.
        false_alarms: normal inputs above the threshold, over all normal ones.
    """

    auc: Estimate
    pauc: Estimate
    missed: Proportion
    false_alarms: Proportion


class EpsScores(Record):
    """What one runtime did with the adversarial inputs of one budget.

    Attributes:
        robust_accuracy: still classified right by the runtime, over ALL inputs.
        attack_success: classified wrong, over the inputs that the runtime gets right when clean.
        transfer: classified wrong by the runtime, over the inputs that runtime and surrogate both get right
            when clean and whose attack fooled the surrogate.
        float_success_before: the bundle's float network fooled by the input as the attack left it, over the
            inputs that it gets right when clean.
        float_success_after: the same after rounding to this runtime's input grid.
        erased: perturbations that the rounding removed altogether, over the inputs that the attack changed.
        clamped: inputs that rounding had pushed out of the eps-ball and that were moved back, over all.
        target_success: given their target by the runtime, over the inputs with another label; None without
            targets.
        detection: of an anomaly detector, with every input as the attack left it; where the attack had a
            target, with inputs of that label clean.
        error: of a regression, the mean over all inputs of the mean absolute error.
        top: the true label among the `top` highest scores, over ALL inputs, where that was asked for.
    """

    eps: Distance
    robust_accuracy: Proportion
    attack_success: Proportion
    transfer: Proportion
    float_success_before: Proportion
    float_success_after: Proportion
    erased: Proportion
    clamped: Proportion
    target_success: Proportion | None = None
    detection: Detection | None = None
    error: Estimate | None = None
    top: Proportion | None = None


class RuntimeScores(Record):
    """One runtime's results; what is named as in `EpsScores` is of the clean inputs."""

    runtime: RuntimeInfo
    clean_accuracy: Proportion
    by_eps: tuple[EpsScores, ...]
    detection: Detection | None = None
    error: Estimate | None = None
    top: Proportion | None = None


class Disagreement(Record):
    """How far two runtimes are apart on the same inputs.

    Attributes:
        eps: of the adversarial inputs, or None for the clean ones.
        labels: inputs with different labels.
        vectors: inputs whose output codes differ anywhere; None when the two run different artefacts, whose
            codes cannot be compared.
        largest: the largest difference of any output element, in codes; None likewise.
    """

    first: str
    second: str
    eps: float | None
    labels: Proportion
    vectors: Proportion | None
    largest: int | None


class Difference(Record):
    """An output element that a device computed otherwise than the reference kernels.

    Attributes:
        eps: of the adversarial inputs, or None for the clean ones.
        input: its index in the advset.
        element: of the output vector.
        device, reference: both values, as codes if the output has an integer type.
    """

    eps: float | None
    input: int
    element: int
    device: int | float
    reference: int | float


class LinkUse(Record):
    """How the line to a device was used, since it was opened.

    Attributes:
        payload_bytes: inputs and outputs of accepted responses.
        wire_bytes: sent and received: framing, repeats and greetings included.
        repeats: inputs sent again.
        damaged: frames that came in damaged, at either end.
        seconds: spent on inferences, waiting included.
    """

    payload_bytes: int
    wire_bytes: int
    repeats: int
    damaged: int
    seconds: float


class DeviceResults(Record):
    """What a replay found on a device, beside its scores.

    Attributes:
        runtime: the name under which `scores` has it.
        counter: what `counts` count an inference; cycles, instructions and nanoseconds are never mixed.
        clock_hz: of the core; 0 if it has none to speak of (an emulator, a process).
        counts: over all inputs, clean and adversarial; None if the device does not count.
        arena_used, arena_available: bytes of working memory in RAM.
        model_bytes: in flash.
        model_sha256: of those bytes: the bundle's `int8.tflite`, or its packed twin where `runtime` ends in
            `-packed`; None in a replay made before this was recorded.
        flash_bytes, ram_bytes: that the board has for firmware and model; None of a board unknown to qbench.
        link: None if every answer was there already.
        equal: inputs, clean and adversarial, whose every output element is that of `tflite-ref`.
        differences: the first elements that are not.
    """

    runtime: str
    board: str
    core: str
    counter: Literal["none", "cycles", "instructions", "nanoseconds"]
    clock_hz: int
    counts: CountSummary | None
    arena_used: int
    arena_available: int
    model_bytes: int
    model_sha256: str | None = None
    flash_bytes: int | None
    ram_bytes: int | None
    link: LinkUse | None
    equal: Proportion
    differences: tuple[Difference, ...]


class ReplayContent(Content):
    """Outputs of an advset on runtimes; `<runtime>/clean.npy` and `<runtime>/eps-<i>.npy` hold the vectors.

    `labels.npy` and `indices.npy` are the advset's. Where an output is not itself a row of scores, a file of
    the same name with `-scores` has the rows that the task makes of it, [count, classes] float32.

    Attributes:
        network: the bundle's, with its widths.
        task: the bundle's.
        top: how many of the highest scores count for the figures of that name; None where not asked for.
    """

    network: str
    data: DataInfo
    attack: str
    norm: Norm
    surrogate: str
    grid: Literal["float", "uint8"]
    eps: tuple[Distance, ...]
    count: int
    scores: tuple[RuntimeScores, ...]
    disagreements: tuple[Disagreement, ...]
    devices: tuple[DeviceResults, ...] = ()
    task: TaskInfo = TaskInfo()
    top: int | None = None

    @model_validator(mode="after")
    def _names_its_runtimes(self) -> ReplayContent:
        names = [each.runtime.name for each in self.scores]
        if not names or len(set(names)) < len(names):
            raise ValueError("the runtimes' names must differ")
        named = {name for each in self.disagreements for name in (each.first, each.second)}
        if not named | {each.runtime for each in self.devices} <= set(names):
            raise ValueError("it compares runtimes that it has no scores of")
        if any(tuple(at.eps for at in each.by_eps) != self.eps for each in self.scores):
            raise ValueError("a runtime has scores at other budgets")
        return self

    def arrays(self) -> dict[str, ArraySpec]:
        """Of each runtime the output vectors, and their scores: to the clean inputs, and at each budget."""
        scores = ArraySpec((self.count, len(self.data.classes)), "")
        vectors = ArraySpec((self.count, *(self.task.output_shape or scores.shape[1:])), "")
        found = {}
        for name in (file_name(each.runtime.name) for each in self.scores):
            for one in ("clean", *(f"eps-{i}" for i in range(len(self.eps)))):
                found[f"{name}/{one}.npy"] = vectors
                found[self.scores_file(name, one)] = scores
        return found

    def scores_file(self, runtime: str, one: str) -> str:
        """The file with a runtime's rows of scores [count, classes] for a set of inputs.

        Args:
            runtime: its name.
            one: "clean" or "eps-<i>".
        """
        return f"{file_name(runtime)}/{one}{'' if self.task.plain else '-scores'}.npy"
