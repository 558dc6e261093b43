"""The methods of quantization by name, in training and after it, and which widths each is defined for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from qbench.artifacts.networks import FLOAT_BITS, LowBit
from qbench.errors import UserError, unknown_name

if TYPE_CHECKING:
    from qbench.lowbit.activations import ActivationQuantizer
    from qbench.lowbit.weights import WeightQuantizer


@dataclass(frozen=True)
class Method:
    """How weights and activations of a width are quantized.

    Attributes:
        weights, activations: the quantizer of a width in bits, a new one at every call.
        weight_bits, activation_bits: the bit widths it is defined for, besides 32 (float32).
    """

    description: str
    weights: Callable[[int], WeightQuantizer]
    activations: Callable[[int], ActivationQuantizer]
    weight_bits: tuple[int, ...] = tuple(range(1, 9))
    activation_bits: tuple[int, ...] = tuple(range(1, 9))


def check(lowbit: LowBit, methods: Mapping[str, Method]) -> None:
    """Refuse a method that does not exist, or widths that it is not defined for.

    Raises:
        UserError: as said.
    """
    if lowbit.method not in methods:
        raise unknown_name("method", lowbit.method, methods)
    method = methods[lowbit.method]
    for what, bits, allowed in (
        ("weights", lowbit.weight_bits, method.weight_bits),
        ("activations", lowbit.act_bits, method.activation_bits),
        ("the first and the last layer", lowbit.end_weight_bits or FLOAT_BITS, tuple(range(1, 9))),
    ):
        if bits not in (*allowed, FLOAT_BITS):
            raise UserError(
                f"{lowbit.method} is not defined for {what} of {bits} bits",
                cause=f"they have {', '.join(map(str, allowed))} or {FLOAT_BITS} bits",
                hint="dorefa and lsq take 1 to 8 bits; networks quantized after training have 2 to 8",
            )


def post_training(weight_bits: int | None, act_bits: int | None, calibration: str | None) -> LowBit | None:
    """The widths to quantize a trained network to, 8 where only the other is given; None if none is.

    Args:
        weight_bits: of the weights, 2 to 8.
        act_bits: of what stands behind a ReLU, likewise.
        calibration: one of `qbench.lowbit.calibration.CALIBRATIONS`, "mse" if None.

    Raises:
        UserError: no such calibration, it has no width to go with, or a width is not among these.
    """
    if weight_bits is None and act_bits is None:
        if calibration is None:
            return None
        raise UserError(
            "a calibration is given, but no width", hint="give --ptq-weight-bits or --ptq-act-bits, 2 to 8"
        )
    lowbit = LowBit(
        weight_bits=8 if weight_bits is None else weight_bits,
        act_bits=8 if act_bits is None else act_bits,
        method=f"ptq-{calibration or 'mse'}",
    )
    check(lowbit, POST_TRAINING)
    if not lowbit.integer:
        raise UserError("32 bits is float32, which is no quantization", hint="give 2 to 8 bits")
    return lowbit


def weight_quantizer(lowbit: LowBit, *, end: bool) -> WeightQuantizer | None:
    """The quantizer of a layer's weights; None if they stay real.

    Args:
        lowbit: the network's widths.
        end: whether the layer is the first or the last.
    """
    bits = lowbit.end_weight_bits if end and lowbit.end_weight_bits is not None else lowbit.weight_bits
    if bits == FLOAT_BITS:
        return None
    method = ALL[lowbit.method]
    # A method of one-bit weights has nothing to say of ends at 8 bits: there the study's formula stands in.
    return (method if bits in method.weight_bits else METHODS["dorefa"]).weights(bits)


def activation_quantizer(lowbit: LowBit) -> ActivationQuantizer | None:
    """The quantizer in place of a ReLU; None if activations stay real."""
    return None if lowbit.act_bits == FLOAT_BITS else ALL[lowbit.method].activations(lowbit.act_bits)


def _sign_weights(bits: int) -> WeightQuantizer:
    from qbench.lowbit.weights import SignWeights

    return SignWeights(bits)


def _dorefa_weights(bits: int) -> WeightQuantizer:
    from qbench.lowbit.weights import DorefaWeights

    return _sign_weights(bits) if bits == 1 else DorefaWeights(bits)


def _dorefa_max_weights(bits: int) -> WeightQuantizer:
    from qbench.lowbit.weights import DorefaMaxWeights, ScaledSignWeights

    return ScaledSignWeights(bits) if bits == 1 else DorefaMaxWeights(bits)


def _lsq_weights(bits: int) -> WeightQuantizer:
    from qbench.lowbit.weights import LearnedStepWeights

    return LearnedStepWeights(bits)


def _unit_levels(bits: int) -> ActivationQuantizer:
    from qbench.lowbit.activations import UnitLevels

    return UnitLevels(bits)


def _dorefa_activations(bits: int) -> ActivationQuantizer:
    from qbench.lowbit.activations import SignActivation

    return SignActivation() if bits == 1 else _unit_levels(bits)


def _lsq_activations(bits: int) -> ActivationQuantizer:
    from qbench.lowbit.activations import LearnedStepActivation

    return LearnedStepActivation(bits)


def _calibrated_weights(calibration: str, bits: int) -> WeightQuantizer:
    from qbench.lowbit.weights import CalibratedWeights

    return CalibratedWeights(bits, calibration)


def _calibrated_activations(calibration: str, bits: int) -> ActivationQuantizer:
    from qbench.lowbit.activations import CalibratedActivation

    return CalibratedActivation(bits, calibration)


METHODS: dict[str, Method] = {
    "dorefa": Method(
        "DoReFa-Net as the study has it: no max-normalization; signs at one bit",
        _dorefa_weights,
        _dorefa_activations,
    ),
    "dorefa-max": Method("the original DoReFa-Net (Zhou et al., 2016)", _dorefa_max_weights, _unit_levels),
    "binaryconnect": Method(
        "weights -1 and +1 (Courbariaux et al., 2015)", _sign_weights, _dorefa_activations, weight_bits=(1,)
    ),
    "bnn": Method(
        "weights and activations -1 and +1 (Hubara et al., 2016)",
        _sign_weights,
        _dorefa_activations,
        weight_bits=(1,),
        activation_bits=(1,),
    ),
    "lsq": Method("learned step sizes (Esser et al., 2020)", _lsq_weights, _lsq_activations),
}

POST_TRAINING: dict[str, Method] = {
    f"ptq-{name}": Method(
        f"after training; {text}",
        partial(_calibrated_weights, name),
        partial(_calibrated_activations, name),
        weight_bits=tuple(range(2, 9)),
        activation_bits=tuple(range(2, 9)),
    )
    for name, text in (
        ("minmax", "nothing is clipped"),
        ("percentile", "the outermost 0.01 % are clipped"),
        ("mse", "least mean squared error"),
    )
}
ALL = {**METHODS, **POST_TRAINING}
