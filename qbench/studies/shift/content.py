"""What a study of the quantization value shift found."""

from __future__ import annotations

from typing import Literal

from qbench.artifacts.base import Record
from qbench.artifacts.figures import Estimate
from qbench.studies.content import AnalysisResult, AttackPoint


class LayerShift(Record):
    """What quantizing one layer's activations does to an adversarial perturbation.

    Attributes:
        layer: index of the operator in the file; -1 is the rounding of the input itself.
        operator: its name in the file format.
        tensor: the name of its output.
        changed: mean share of output codes that are not the clean ones.
        before: mean L2 norm of the perturbation over that of the clean values, in the operator's real result
            on the runtime's own input codes, before rounding and saturation.
        after: the same in the output codes.
        growth: mean of log2(after / before), over inputs where both are above zero.
        vanished: mean share of the elements that moved before whose codes did not.
    """

    layer: int
    operator: str
    tensor: str
    changed: Estimate
    before: Estimate
    after: Estimate
    growth: Estimate
    vanished: Estimate


class ShiftProfile(Record):
    """Layer by layer, on the network that runs the attack's inputs."""

    at: AttackPoint
    target: str
    layers: tuple[LayerShift, ...]


class ShiftStudy(AnalysisResult):
    """The quantization value shift, on TFLite's reference kernels."""

    analysis: Literal["shift"] = "shift"
    profiles: tuple[ShiftProfile, ...]
