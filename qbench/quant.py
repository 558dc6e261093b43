"""Integer arithmetic with its rounding named: the oracle that runtimes and kernels are held against."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Norm = Literal["linf", "l2", "l1"]
CodeType = Literal["int8", "uint8", "int16"]
CODE_TYPES: tuple[CodeType, ...] = get_args(CodeType)

# Slack for budgets such as 2/255 over a grid of 1/255, whose float quotient may fall just short of 2.
_STEP_TOLERANCE = 1e-5
# Of the multiplier in `nearest_in_ball`: as many as float64 can tell apart.
_BISECTIONS = 60
# Additions for one sample's exact projection: some milliseconds.
_AFFORDABLE = 4_000_000


def round_half_away(x: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Round to nearest, ties away from zero, as C's `round` and TFLite's QUANTIZE do."""
    away = np.atleast_1d(np.copysign(x.dtype.type(0.5), x))
    away += x
    return np.asarray(np.trunc(away, out=away).reshape(x.shape))


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

    def position(self, real: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Where real values lie among the codes, before rounding; inside the dtype's range, same shape."""
        info = np.iinfo(self.dtype)
        scaled = np.asarray(real, np.float64) / np.float64(np.float32(self.scale))
        return np.asarray(np.clip(scaled + self.zero_point, info.min, info.max))

    def dequantize(self, codes: NDArray[Any]) -> NDArray[np.float32]:
        """Real values of integer codes, float32, same shape."""
        centred = codes.astype(np.int32) - self.zero_point
        return (np.float32(self.scale) * centred).astype(np.float32)


def project_codes(
    codes: NDArray[Any],
    clean: NDArray[Any],
    *,
    eps_in_codes: float,
    norm: Norm,
    wanted: NDArray[np.floating[Any]] | None = None,
) -> NDArray[Any]:
    """Move integer codes back into the eps-ball around clean codes, onto the nearest lattice point in it.

    Rounding to a grid can push an input out of its ball. Samples that are inside come back unchanged; the
    others get the point of the ball whose codes are nearest to `wanted` in L2: see `nearest_in_ball`.

    Args:
        codes: [n, ...] int8, uint8 or int16, the rounded adversarial inputs.
        clean: [n, ...] same dtype, the rounded clean inputs.
        eps_in_codes: the budget divided by the width of one code; infinite for no ball.
        norm: "linf", "l2" or "l1".
        wanted: [n, ...], the adversarial inputs in codes before they were rounded; the codes if None.
    """
    if math.isinf(eps_in_codes):
        return codes
    start = clean.astype(np.int32)
    inside = (codes.astype(np.int32) - start).reshape(len(codes), math.prod(codes.shape[1:]))
    if norm == "linf":
        limit = _whole_codes(eps_in_codes)
        inside = np.clip(inside, -limit, limit)
    else:
        budget = _whole_codes(eps_in_codes**2 if norm == "l2" else eps_in_codes)
        sizes = np.abs(inside.astype(np.int64))
        outside = (sizes**2 if norm == "l2" else sizes).sum(axis=1) > budget
        reals = inside if wanted is None else (wanted - start).reshape(inside.shape)
        inside[outside] = nearest_in_ball(reals[outside].astype(np.float64), budget, norm)
    moved: NDArray[Any] = start + inside.reshape(codes.shape)
    return moved.astype(codes.dtype)


def nearest_in_ball(reals: NDArray[np.float64], budget: int, norm: Literal["l2", "l1"]) -> NDArray[np.int32]:
    """The integer perturbations nearest to real ones, in L2, whose size is within a budget.

    A step of an element from k to k + 1 brings 2 (|r| - k) - 1 of squared distance and costs 2 k + 1 of the
    budget in L2, or 1 in L1. The worthiest steps per cost are taken, as a Lagrange multiplier finds them;
    what is left of the budget goes to the next ones that fit. That is exact in L1, and in L2 where all steps
    cost 1 or the worthiest use the budget up. Elsewhere the squared distance is at most what one step brings
    above the least, and the nearest point is found by dynamic programming where that is affordable.

    Args:
        reals: [n, elements] float64.
        budget: whole: the square of the radius in L2, the radius in L1.
        norm: of the ball.

    Returns:
        [n, elements] int32.
    """
    sizes = np.abs(reals)
    most = np.floor(sizes + 0.5).astype(np.int64)
    found = _best_multiples(sizes, most, budget, norm)
    for row in np.flatnonzero(_improvable(sizes, found, most, budget)) if norm == "l2" else ():
        wide = np.flatnonzero(most[row])
        if most[row].sum() * budget <= _AFFORDABLE:
            found[row, wide] = _exact_in_l2(sizes[row, wide], most[row, wide], budget)
    return np.asarray(np.copysign(found, reals), np.int32)


def _best_multiples(
    sizes: NDArray[np.float64], most: NDArray[np.int64], budget: int, norm: Literal["l2", "l1"]
) -> NDArray[np.int64]:
    """Steps taken in the order of their worth, as many as the budget allows."""

    def at(multiplier: NDArray[np.float64]) -> NDArray[np.int64]:
        shrunk = sizes / (1 + multiplier) if norm == "l2" else sizes - multiplier / 2
        return np.asarray(np.clip(np.ceil(shrunk - 0.5), 0, most), np.int64)

    def cost(steps: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray((steps * steps if norm == "l2" else steps).sum(axis=1), np.int64)

    low = np.zeros((len(sizes), 1))
    high = np.full((len(sizes), 1), 2 * sizes.max(initial=0.0) + 1)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        fits = (cost(at(middle)) <= budget)[:, None]
        low, high = np.where(fits, low, middle), np.where(fits, middle, high)
    steps = at(high)
    while (taken := _next_steps(sizes, steps, most, budget - cost(steps), norm)).any():
        steps += taken
    return steps


def _next_steps(
    sizes: NDArray[np.float64],
    steps: NDArray[np.int64],
    most: NDArray[np.int64],
    left: NDArray[np.int64],
    norm: Literal["l2", "l1"],
) -> NDArray[np.bool_]:
    """The elements [n, elements] whose next step fits into what is left, the worthiest first."""
    costs = 2 * steps + 1 if norm == "l2" else np.ones_like(steps)
    worth = np.where((steps < most) & (costs <= left[:, None]), (2 * (sizes - steps) - 1) / costs, -np.inf)
    order = np.argsort(-worth, axis=1, kind="stable")
    ordered = np.take_along_axis(np.where(np.isfinite(worth), costs, 0), order, axis=1)
    fits = (np.cumsum(ordered, axis=1) <= left[:, None]) & (ordered > 0)
    taken = np.zeros(steps.shape, bool)
    np.put_along_axis(taken, order, fits, axis=1)
    return taken


def _improvable(
    sizes: NDArray[np.float64], steps: NDArray[np.int64], most: NDArray[np.int64], budget: int
) -> NDArray[np.bool_]:
    """Samples [n] of which another choice of steps may be nearer in L2.

    None is where the whole budget went to the worthiest steps, or where no step costs more than 1.
    """
    left = budget - (steps * steps).sum(axis=1)
    taken = np.where(steps > 0, (2 * (sizes - steps) + 1) / (2 * steps - 1), np.inf)
    waiting = np.where(steps < most, (2 * (sizes - steps) - 1) / (2 * steps + 1), -np.inf)
    last, following = taken.min(axis=1, initial=np.inf), waiting.max(axis=1, initial=-np.inf)
    proven = (left == 0) & (last >= following)
    return np.asarray(~proven & (most.max(axis=1, initial=0) > 1) & (steps < most).any(axis=1))


def _exact_in_l2(sizes: NDArray[np.float64], most: NDArray[np.int64], budget: int) -> NDArray[np.int64]:
    """The nearest multiples [elements] of all, by dynamic programming over what each budget can reach."""
    gained = np.zeros(budget + 1)
    chosen = np.zeros((len(sizes), budget + 1), np.int16)
    for i, (size_, limit) in enumerate(zip(sizes, most, strict=True)):
        best = gained.copy()
        for k in range(1, min(int(limit), math.isqrt(budget)) + 1):
            candidate = gained[: budget + 1 - k * k] + k * (2 * size_ - k)
            better = candidate > best[k * k :]
            best[k * k :][better] = candidate[better]
            chosen[i, k * k :][better] = k
        gained = best
    steps, left = np.zeros(len(sizes), np.int64), budget
    for i in reversed(range(len(sizes))):
        steps[i] = chosen[i, left]
        left -= int(steps[i]) ** 2
    return steps


def _whole_codes(eps_in_codes: float) -> int:
    """How many codes fit into a budget."""
    return int(np.floor(eps_in_codes + _STEP_TOLERANCE))


def size(delta: NDArray[np.floating[Any]], norm: Norm) -> NDArray[np.float64]:
    """The norm of every perturbation of [n, *shape]: [n] float64."""
    flat = delta.reshape(len(delta), math.prod(delta.shape[1:])).astype(np.float64)
    return np.asarray(np.linalg.norm(flat, {"linf": np.inf, "l2": 2, "l1": 1}[norm], axis=1))
