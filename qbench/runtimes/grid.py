"""Adversarial inputs on the input grid of a runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Preprocessing
from qbench.errors import InternalFault
from qbench.quant import Norm, Quantization, project_codes, size

_SLACK = 1e-4


@dataclass(frozen=True)
class Rounded:
    """Inputs of one budget on a grid.

    Attributes:
        codes: [n, *shape], the adversarial inputs as the runtime gets them.
        erased: [n] bool, changed by the attack and back at the clean codes.
        clamped: [n] bool, pushed out of the eps-ball by rounding, and moved back.
    """

    codes: NDArray[Any]
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
            erased=(x_adv != x).any(axis=axes) & (inside == clean).all(axis=axes),
            clamped=(inside != nearest).any(axis=axes),
        )

    def _in_codes(self, eps: float) -> float:
        return eps * abs(self.preprocessing.scale) / self.quantization.scale
