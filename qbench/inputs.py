"""The one path from inputs of a data's domain to what an artefact takes, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Preprocessing, TensorSpec
from qbench.errors import InternalFault
from qbench.quant import Norm, Quantization, project_codes, round_half_away, size

_SLACK = 1e-4
# The width of a level of a 16-bit sample, full scale being 1.
SAMPLE = 2.0**-15


@dataclass(frozen=True)
class Rounded:
    """Inputs of one budget on a grid.

    Attributes:
        codes: [n, *shape], the adversarial inputs as the runtime gets them.
        values: [n, *shape] float32, the same in the domain.
        erased: [n] bool, changed by the attack and back at the clean codes.
        clamped: [n] bool, pushed out of the eps-ball by rounding, and moved back.
    """

    codes: NDArray[Any]
    values: NDArray[np.float32]
    erased: NDArray[np.bool_]
    clamped: NDArray[np.bool_]


@dataclass(frozen=True)
class InputGrid:
    """The grid of an artefact's input, seen from the data's domain.

    Attributes:
        quantization: of the input tensor.
        preprocessing: from the domain to the network's own unit.
    """

    quantization: Quantization
    preprocessing: Preprocessing

    def codes(self, x: NDArray[np.float32]) -> NDArray[Any]:
        """The nearest codes of inputs [n, *shape] in the domain."""
        return self.quantization.quantize(self.preprocessing.apply(x))

    @property
    def step(self) -> float:
        """The width of a level in the domain's unit."""
        return self.quantization.scale / abs(self.preprocessing.scale)

    def values(self, codes: NDArray[Any]) -> NDArray[np.float32]:
        """What codes [n, *shape] stand for in the domain."""
        return self.preprocessing.invert(self.quantization.dequantize(codes))

    def codes_near(
        self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm
    ) -> NDArray[Any]:
        """Codes of adversarial inputs, inside the eps-ball around those of the clean inputs.

        Args:
            x_adv: [n, *shape] float32 in the domain.
            x: [n, *shape] float32 in the domain, the clean inputs.
            eps: in the domain's unit; infinite for no ball.
            norm: of the ball.
        """
        return project_codes(
            self.codes(x_adv),
            self.codes(x),
            eps_in_codes=self._in_codes(eps),
            norm=norm,
            wanted=self.quantization.position(self.preprocessing.apply(x_adv)),
        )

    def rounded(self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm) -> Rounded:
        """The same, with what rounding did; arguments as of `codes_near`.

        Raises:
            InternalFault: a result lies outside the ball.
        """
        clean, nearest, inside = self.codes(x), self.codes(x_adv), self.codes_near(x_adv, x, eps, norm)
        in_codes = self._in_codes(eps)
        axes = tuple(range(1, x.ndim))
        length = size(inside.astype(np.float64) - clean, norm)
        if length.size and length.max() > in_codes + _SLACK:
            raise InternalFault(
                f"rounding left the eps-ball: {length.max()} codes where {in_codes} are allowed"
            )
        return Rounded(
            codes=inside,
            values=self.values(inside),
            erased=(x_adv != x).any(axis=axes) & (inside == clean).all(axis=axes),
            clamped=(inside != nearest).any(axis=axes),
        )

    def seen(
        self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm
    ) -> NDArray[np.float32]:
        """What the runtime sees of adversarial inputs, back in the domain; arguments as of `codes_near`."""
        return self.values(self.codes_near(x_adv, x, eps, norm))

    def _in_codes(self, eps: float) -> float:
        return eps * abs(self.preprocessing.scale) / self.quantization.scale


@dataclass(frozen=True)
class SampleGrid(InputGrid):
    """The grid behind a front end: a waveform is rounded to 16-bit samples, as a microphone delivers them.

    The budget holds among the samples; codes of the features follow from these, as the device computes them.
    """

    @property
    def step(self) -> float:
        """The width of a sample's level."""
        return SAMPLE

    def codes(self, x: NDArray[np.float32]) -> NDArray[Any]:
        """The codes of the features of waveforms [n, samples]."""
        return self._codes_of(self._samples(x))

    def codes_near(
        self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm
    ) -> NDArray[Any]:
        """Codes of the features of adversarial waveforms, whose samples are inside the eps-ball."""
        return self._codes_of(self._samples_near(x_adv, x, eps, norm))

    def seen(
        self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm
    ) -> NDArray[np.float32]:
        """The samples, back in [-1, 1]."""
        return self._waves(self._samples_near(x_adv, x, eps, norm))

    def rounded(self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm) -> Rounded:
        """The same, with what rounding did to the samples.

        Raises:
            InternalFault: a result lies outside the ball.
        """
        clean, nearest = self._samples(x), self._samples(x_adv)
        inside = self._samples_near(x_adv, x, eps, norm)
        length = size((inside - clean).astype(np.float64), norm)
        if length.size and length.max() > eps / SAMPLE + _SLACK:
            raise InternalFault(
                f"rounding left the eps-ball: {length.max()} levels where {eps / SAMPLE} are allowed"
            )
        return Rounded(
            codes=self._codes_of(inside),
            values=self._waves(inside),
            erased=(x_adv != x).any(axis=1) & (inside == clean).all(axis=1),
            clamped=(inside != nearest).any(axis=1),
        )

    def _samples(self, x: NDArray[np.float32]) -> NDArray[np.int32]:
        rounded = round_half_away(x.astype(np.float64) / SAMPLE)
        return np.clip(rounded, -(2**15), 2**15 - 1).astype(np.int32)

    def _samples_near(
        self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm
    ) -> NDArray[np.int32]:
        return project_codes(
            self._samples(x_adv),
            self._samples(x),
            eps_in_codes=eps / SAMPLE,
            norm=norm,
            wanted=x_adv.astype(np.float64) / SAMPLE,
        )

    def _codes_of(self, samples: NDArray[np.int32]) -> NDArray[Any]:
        return self.quantization.quantize(self.preprocessing.apply(self._waves(samples)))

    def _waves(self, samples: NDArray[np.int32]) -> NDArray[np.float32]:
        return samples.astype(np.float32) * np.float32(SAMPLE)


def input_grid(quantization: Quantization, preprocessing: Preprocessing) -> InputGrid:
    """The grid of an artefact's input, or of the samples in front of its front end."""
    kind = InputGrid if preprocessing.front_end is None else SampleGrid
    return kind(quantization, preprocessing)


@dataclass(frozen=True)
class InputPath:
    """What an artefact is given for inputs of a domain: codes, the values of codes, or plain float32 values.

    Attributes:
        entry: the artefact's input tensor.
        grid: that inputs are rounded to: the tensor's own, or that of the QUANTIZE behind a float32 input;
            None where the network computes in float32.
        preprocessing: from the domain to the network's own unit.
    """

    entry: TensorSpec
    grid: InputGrid | None
    preprocessing: Preprocessing

    @classmethod
    def to(cls, entry: TensorSpec, grid: Quantization | None, preprocessing: Preprocessing) -> InputPath:
        """The path to an artefact whose inputs are rounded to a grid, or to none."""
        return cls(entry, input_grid(grid, preprocessing) if grid else None, preprocessing)

    def feed(self, x: NDArray[np.float32]) -> NDArray[Any]:
        """Inputs [n, *shape] in the domain as the artefact takes them."""
        return self.preprocessing.apply(x) if self.grid is None else self.taken(self.grid.codes(x))

    def feed_near(
        self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm
    ) -> NDArray[Any]:
        """Adversarial inputs likewise, on the grid inside the eps-ball around the clean inputs' codes."""
        if self.grid is None:
            return self.preprocessing.apply(x_adv)
        return self.taken(self.grid.codes_near(x_adv, x, eps, norm))

    def seen(
        self, x_adv: NDArray[np.float32], x: NDArray[np.float32], eps: float, norm: Norm
    ) -> NDArray[np.float32]:
        """What the artefact sees of adversarial inputs, back in the domain."""
        if self.grid is None:
            return x_adv
        return self.grid.seen(x_adv, x, eps, norm)

    def taken(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Codes [n, *shape] of the grid as the artefact takes them: unchanged, or dequantized to float32."""
        if self.grid is None or self.entry.quantization:
            return codes
        return self.grid.quantization.dequantize(codes)


def dequantize_tensor(values: NDArray[Any], tensor: TensorSpec) -> NDArray[np.float32]:
    """What an artefact's inputs or outputs [n, *shape] stand for, float32: of codes, what they encode."""
    quantization = tensor.quantization
    if quantization is None or values.dtype.kind == "f":
        return values.astype(np.float32)
    return quantization.dequantize(values)
