"""The published schema of `manifest.json`, the header of every artefact folder."""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, field_validator, model_validator

from qbench.artifacts.base import ArraySpec, Content, Record
from qbench.artifacts.figures import Proportion
from qbench.quant import CodeType, Norm, Quantization
from qbench.text import file_name

SCHEMA_VERSION = 1

Kind = Literal["trained", "bundle", "advset", "replay", "report", "study"]


# An element of an input, which is float32; and a distance of two inputs, by any norm.
Value = Annotated[float, Field(ge=-3.5e38, le=3.5e38)]
Distance = Annotated[float, Field(gt=0, le=1e60)]


class Domain(Record):
    """The values that an input may take, and so what a perturbation budget means.

    Attributes:
        name: "image", "int8-features" or "features".
        low, high: bounds of every element; a budget is stated in the same unit.
        step: the width of one grid level (1/255 for images), or None when inputs are continuous.
    """

    name: Literal["image", "int8-features", "features"]
    low: Value
    high: Value
    step: Annotated[float, Field(gt=0)] | None

    @model_validator(mode="after")
    def _is_wide(self) -> Domain:
        if not self.low <= self.high:
            raise ValueError(f"low, {self.low:g}, is above high, {self.high:g}")
        return self


class Preprocessing(Record):
    """What the network expects of an input of the domain: network input = scale * x + offset."""

    scale: float = 1.0
    offset: float = 0.0

    @field_validator("scale")
    @classmethod
    def _tells_inputs_apart(cls, scale: float) -> float:
        if scale == 0:
            raise ValueError("a scale of 0 makes all inputs the same")
        return scale

    def apply(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """From the domain to the network's own input unit; float32, same shape."""
        return (x * np.float32(self.scale) + np.float32(self.offset)).astype(np.float32)

    def invert(self, real: NDArray[np.float32]) -> NDArray[np.float32]:
        """From the network's own input unit back to the domain; float32, same shape."""
        return ((real - np.float32(self.offset)) / np.float32(self.scale)).astype(np.float32)


class TensorSpec(Record):
    """An input or output tensor of an artefact; `shape` is without the batch dimension."""

    name: str
    shape: tuple[int, ...]
    dtype: Literal["int8", "uint8", "float32"]
    scale: float | None = None
    zero_point: int | None = None

    @property
    def quantization(self) -> Quantization | None:
        """The affine map of an integer tensor; None for float32."""
        if self.scale is None or self.zero_point is None or self.dtype == "float32":
            return None
        dtype: CodeType = self.dtype
        return Quantization(self.scale, self.zero_point, dtype)


class FileRecord(Record):
    """A file of an artefact folder."""

    sha256: str
    bytes: int


class Environment(Record):
    """Where an artefact was made."""

    python: str
    packages: dict[str, str]
    machine: str
    cpu: str
    cpu_flags: tuple[str, ...]


class DataInfo(Record):
    """The data set that an artefact was made with."""

    name: str
    fingerprint: str
    domain: Domain
    classes: tuple[str, ...]
    input_shape: tuple[int, ...]


# The "width" of weights or activations that are real numbers.
FLOAT_BITS = 32


class LowBit(Record):
    """Widths that a network was trained at, or quantized to after training.

    Attributes:
        weight_bits, act_bits: 1 to 8, or 32 for real numbers.
        method: one of `qbench.lowbit.schemes.METHODS`, or of `POST_TRAINING` there.
        end_weight_bits: of the first and the last layer, where they differ from `weight_bits`.
    """

    weight_bits: int
    act_bits: int
    method: str
    end_weight_bits: int | None = None

    @property
    def name(self) -> str:
        """As the study writes it: `w2a2`."""
        return f"w{self.weight_bits}a{self.act_bits}"

    @property
    def integer(self) -> bool:
        """Whether weights and activations are all integers, so that an integer runtime can compute it."""
        return FLOAT_BITS not in (self.weight_bits, self.act_bits, self.end_weight_bits)


class Hardening(Record):
    """What training did against adversarial inputs.

    Attributes:
        attack: "pgd", or None.
        eps: Linf budget in the domain's unit.
        jacobian: weight of the penalty on the Jacobian's Frobenius norm.
    """

    attack: Literal["pgd"] | None = None
    eps: float = 0.0
    steps: int = 0
    jacobian: float = 0.0


class TrainedContent(Content):
    """A trained network: `float.keras` and its training history.

    Attributes:
        lowbit: its widths; None for a float network.
        hardening: what was done against adversarial inputs; None if nothing was.
    """

    network: str
    data: DataInfo
    preprocessing: Preprocessing
    epochs: int
    train_accuracy: float
    test_accuracy: float
    lowbit: LowBit | None = None
    hardening: Hardening | None = None


class ArtifactInfo(Record):
    """One artefact of a bundle, as measured on the held-out data right after it was made."""

    bytes: int
    input: TensorSpec
    output: TensorSpec
    correct: int | None
    evaluated: int | None


class BundleContent(Content):
    """One network at one quantization.

    Attributes:
        network: what tables call it: the network's name in models/, or its file's.
        artifacts: by file name: float.keras, float.tflite, int8.tflite, float.onnx, int8.onnx.
        calibration: what the integer ranges were fitted on.
        adopted: SHA-256 of the vendor's file that took the place of converting, if one did.
        lowbit: the widths of the int8 artefacts' weights and activations below 8 bits: as the network was
            trained, or as the export chose; None for plain int8.
        packed_bytes: the size of int8.tflite if every weight took no more than its bits; None without widths.
        surrogate_only: whether real weights or activations keep the network from every integer runtime, so
            that there is no int8 artefact.
    """

    network: str
    data: DataInfo
    preprocessing: Preprocessing
    artifacts: dict[str, ArtifactInfo]
    calibration: dict[str, JsonValue]
    adopted: str | None
    lowbit: LowBit | None = None
    packed_bytes: int | None = None
    surrogate_only: bool = False

    @property
    def full_name(self) -> str:
        """The network's name with its widths: `digits-cnn-w2a2`."""
        return self.network if self.lowbit is None else f"{self.network}-{self.lowbit.name}"


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

    def arrays(self) -> dict[str, ArraySpec]:
        """Of each budget two, and the clean inputs' four; labels are among the classes."""
        n, classes = self.count, len(self.data.classes)
        inputs, logits = ArraySpec((n, *self.data.input_shape), "float32"), ArraySpec((n, classes), "float32")
        labels = ArraySpec((n,), "int64", classes)
        found = {"inputs.npy": inputs, "labels.npy": labels, "logits-clean.npy": logits}
        found["indices.npy"] = ArraySpec((n,), "int64")
        for each in self.results:
            found |= {each.file: inputs, f"logits-{each.file}": logits}
        return found if self.target is None else {**found, "targets.npy": labels}


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


class RuntimeScores(Record):
    """One runtime's results."""

    runtime: RuntimeInfo
    clean_accuracy: Proportion
    by_eps: tuple[EpsScores, ...]


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
        payload_bytes: inputs and outputs of believed answers.
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

    `labels.npy` and `indices.npy` are the advset's.

    Attributes:
        network: the bundle's, with its widths.
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

    def arrays(self) -> dict[str, ArraySpec]:
        """Of each runtime the output vectors: to the clean inputs, and at each budget."""
        vectors = ArraySpec((self.count, len(self.data.classes)), "")
        sets = ["clean.npy", *(f"eps-{i}.npy" for i in range(len(self.eps)))]
        return {f"{file_name(each.runtime.name)}/{one}": vectors for each in self.scores for one in sets}


class ReportContent(Content):
    """A report over replays."""

    replays: tuple[str, ...]


ContentT = TypeVar("ContentT", bound=Content)


class Manifest(Record, Generic[ContentT]):
    """The header of an artefact folder, written as `manifest.json`.

    Attributes:
        key: SHA-256 of kind, settings, inputs, seed and versions: equal keys mean the same work.
        inputs: by role, the hash of every artefact, file or data set that went in.
        versions: of the stage and the packages that computed it.
        files: every other file in the folder.
    """

    schema_version: int
    kind: Kind
    key: str
    settings: dict[str, JsonValue]
    inputs: dict[str, str]
    seed: int
    versions: dict[str, str] = Field(default_factory=dict)
    files: dict[str, FileRecord]
    environment: Environment
    content: ContentT

    @property
    def digest(self) -> str:
        """SHA-256 of all that the folder holds, wherever it was made: what a stage on top of it records."""
        text = self.model_dump_json(include={"key", "files", "content"})
        return hashlib.sha256(text.encode()).hexdigest()


# By kind of artefact, where the record of its content is; imported when one is read.
_CONTENTS: dict[Kind, str] = {
    "trained": "qbench.artifacts.schema:TrainedContent",
    "bundle": "qbench.artifacts.schema:BundleContent",
    "advset": "qbench.artifacts.schema:AdvsetContent",
    "replay": "qbench.artifacts.schema:ReplayContent",
    "report": "qbench.artifacts.schema:ReportContent",
    "study": "qbench.studies.content:StudyContent",
}


def manifest_of(kind: Kind) -> type[Manifest[Any]]:
    """The record of the header of that kind.

    Raises:
        KeyError: there is no such kind.
    """
    module, _, name = _CONTENTS[kind].partition(":")
    content: Any = getattr(import_module(module), name)
    return cast("type[Manifest[Any]]", Manifest.__class_getitem__(content))
