"""What the header of a trained network's folder and of a bundle says."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from qbench.artifacts.base import Content, Record
from qbench.artifacts.figures import Estimate
from qbench.artifacts.inputs import DataInfo, Preprocessing, TensorSpec
from qbench.artifacts.tasks import TaskInfo

# The bit width that stands for float32 weights or activations.
FLOAT_BITS = 32


class LowBit(Record):
    """Widths that a network was trained at, or quantized to after training.

    Attributes:
        weight_bits, act_bits: 1 to 8, or 32 for float32.
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
    """One artefact of a bundle, as measured on the held-out data right after it was made.

    Attributes:
        auc: of an anomaly detector, with its 95 % interval.
    """

    bytes: int
    input: TensorSpec
    output: TensorSpec
    correct: int | None
    evaluated: int | None
    auc: Estimate | None = None


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
        task: what the outputs mean.
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
    task: TaskInfo = TaskInfo()

    @property
    def full_name(self) -> str:
        """The network's name with its widths: `digits-cnn-w2a2`."""
        return self.network if self.lowbit is None else f"{self.network}-{self.lowbit.name}"
