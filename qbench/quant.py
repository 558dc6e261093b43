"""Integer arithmetic with its rounding named: the oracle that runtimes and kernels are held against."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Norm = Literal["linf", "l2", "l1"]
CodeType = Literal["int8", "uint8"]

# Slack for budgets such as 2/255 over a grid of 1/255, whose float quotient may fall just short of 2.
_STEP_TOLERANCE = 1e-5


def round_half_away(x: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Round to nearest, ties away from zero, as C's `round` and TFLite's QUANTIZE do."""
    away = np.atleast_1d(np.copysign(x.dtype.type(0.5), x))
    away += x
    return np.trunc(away, out=away).reshape(x.shape)


@dataclass(frozen=True)
class Quantization:
    """An affine map of real values to integer codes: real = scale * (code - zero_point).

    Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference", CVPR 2018, eq. 1.
    """

    scale: float
    zero_point: int
    dtype: CodeType

    def quantize(self, real: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Nearest codes (ties away from zero), saturated to the dtype; same shape as `real`."""
        info = np.iinfo(self.dtype)
        scaled = np.asarray(real, np.float32) / np.float32(self.scale)
        codes = round_half_away(scaled)
        codes += self.zero_point
        return np.clip(codes, info.min, info.max, out=codes).astype(self.dtype)

    def dequantize(self, codes: NDArray[Any]) -> NDArray[np.float32]:
        """Real values of integer codes, float32, same shape."""
        centred = codes.astype(np.int32) - self.zero_point
        return (np.float32(self.scale) * centred).astype(np.float32)


def project_codes(
    codes: NDArray[Any], clean: NDArray[Any], *, eps_in_codes: float, norm: Norm
) -> NDArray[Any]:
    """Move integer codes back into the eps-ball around clean codes, staying on the grid.

    Rounding to a grid can push an input out of its ball. Linf clips each element to the largest whole
    number of codes within eps; L2 shrinks the perturbation and truncates towards the clean code, which
    never lengthens it; L1 takes the nearest perturbation of the lattice. Samples that are inside already
    come back unchanged.

    Args:
        codes: [n, ...] int8 or uint8, the rounded adversarial inputs.
        clean: [n, ...] same dtype, the rounded clean inputs.
        eps_in_codes: the budget divided by the width of one code; infinite for no ball.
        norm: "linf", "l2" or "l1".
    """
    if math.isinf(eps_in_codes):
        return codes
    delta = codes.astype(np.int32) - clean.astype(np.int32)
    flat = delta.reshape(len(delta), -1)
    if norm == "linf":
        limit = _whole_codes(eps_in_codes)
        inside = np.clip(flat, -limit, limit)
    elif norm == "l2":
        inside = _truncated_to_l2(flat, eps_in_codes)
    else:
        inside = _nearest_in_l1(flat, _whole_codes(eps_in_codes))
    moved: NDArray[Any] = clean.astype(np.int32) + inside.reshape(delta.shape)
    return moved.astype(codes.dtype)


def _whole_codes(eps_in_codes: float) -> int:
    """How many codes fit into a budget."""
    return int(np.floor(eps_in_codes + _STEP_TOLERANCE))


def _truncated_to_l2(delta: NDArray[np.int32], eps: float) -> NDArray[np.int32]:
    """Integer perturbations [n, elements], those outside the ball shrunk and truncated."""
    real = delta.astype(np.float64)
    length = np.sqrt(np.einsum("ne,ne->n", real, real))
    outside = length > eps + _STEP_TOLERANCE
    inside = delta.copy()
    inside[outside] = np.trunc(real[outside] * (eps / length[outside])[:, None])
    return inside


def _nearest_in_l1(delta: NDArray[np.int32], eps: int) -> NDArray[np.int32]:
    """The nearest integer perturbations [n, elements] of an L1 size of eps at most.

    As for real values (Duchi et al., ICML 2008, fig. 1), every size is lowered by one threshold. Rounded up
    it frees too much; what is left goes, one code each, to the first elements that were lowered.
    """
    sizes = np.abs(delta)
    excess = np.cumsum(-np.sort(-sizes, axis=1), axis=1) - eps
    counts = np.arange(1, sizes.shape[1] + 1)
    threshold = np.maximum(-(-excess // counts), 0).max(axis=1, keepdims=True)
    lowered = np.maximum(sizes - threshold, 0)
    left = eps - lowered.sum(axis=1, keepdims=True)
    payable = (sizes >= threshold) & (threshold > 0)
    lowered += payable & (np.cumsum(payable, axis=1) <= left)
    return np.asarray(np.sign(delta) * lowered, np.int32)


def size(delta: NDArray[np.floating[Any]], norm: Norm) -> NDArray[np.float64]:
    """The norm of every perturbation of [n, *shape]: [n] float64."""
    flat = delta.reshape(len(delta), -1).astype(np.float64)
    return np.asarray(np.linalg.norm(flat, {"linf": np.inf, "l2": 2, "l1": 1}[norm], axis=1))
