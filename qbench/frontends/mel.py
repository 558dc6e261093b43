"""The mel scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# HTK's: Young et al., "The HTK Book", section 5.4.
_FACTOR, _CORNER = 1127.0, 700.0


def mel_matrix(bins: int, rate: int, bands: int, low: float, high: float) -> NDArray[np.float64]:
    """What a spectrum is multiplied by to be in mel bands, [bins, bands]; nothing of bin 0.

    Triangles, evenly spread over the mel scale and each as wide as two bands.

    Args:
        bins: of a spectrum from 0 to half the rate.
        rate: samples a second.
        bands: of the mel scale.
        low: Hz, where the first begins.
        high: Hz, where the last ends.
    """
    mel = _mel(np.linspace(0, rate / 2, bins))[:, np.newaxis]
    edges = np.linspace(_mel(low), _mel(high), bands + 2)
    rising = (mel - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mel) / (edges[2:] - edges[1:-1])
    found: NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling))
    found[0] = 0
    return found


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(_FACTOR * np.log1p(np.asarray(hertz) / _CORNER))
