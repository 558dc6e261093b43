"""What networks say: the integer network on a runtime, or the Keras one where there is no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError
from qbench.oracles import RuntimeOracle
from qbench.quant import Norm
from qbench.runtimes import open_runtime, runtime_class
from qbench.studies.gathering import Network
from qbench.surrogate.base import Oracle
from qbench.surrogate.registry import open_surrogate, usual_surrogate
from qbench.surrogate.scoring import Scorer

Array = NDArray[np.float32]

# The runtime of a network that has the artefact of no wanted one.
_FLOAT = "float"

_CHUNK = 256
# The spread of sums of probabilities in steps of 1/256.
_SUM_TOLERANCE = 0.05


class Judge:
    """A network on one runtime.

    Args:
        name: the runtime's, or "float".
        oracle: gives its scores.
    """

    def __init__(self, name: str, oracle: Oracle) -> None:
        self.name, self._oracle = name, oracle

    def scores(self, x: Array) -> Array:
        """Scores [n, classes] of clean inputs [n, *shape] in the domain."""
        return np.concatenate([self._oracle(np.asarray(part)) for part in _chunks(x)])

    def scores_near(self, x_adv: Array, x: Array, eps: float, norm: Norm) -> Array:
        """Scores [n, classes] of adversarial inputs, on the runtime's grid and there inside the eps-ball."""
        found = [
            self._oracle(self._oracle.as_replayed(a, b, eps, norm))
            for a, b in zip(_chunks(x_adv), _chunks(x), strict=True)
        ]
        return np.concatenate(found)


def versions(runtimes: Sequence[str]) -> dict[str, str]:
    """By runtime the package that provides it, on which results depend.

    Raises:
        UserError: a runtime is unknown, or named twice.
        EnvironmentLacks: a runtime is not here.
    """
    if len(set(runtimes)) < len(runtimes):
        raise UserError("a runtime is named twice", hint="name each once")
    return {name: " ".join(runtime_class(name).package()) for name in runtimes}


def _chunks(x: Array) -> Iterator[Array]:
    return (np.asarray(x[start : start + _CHUNK]) for start in range(0, len(x), _CHUNK))


def probabilities(scores: Array) -> NDArray[np.float64]:
    """Probabilities [n, classes] from scores alike: logits, or what a network with a softmax gives."""
    scores64 = scores.astype(np.float64)
    if (scores64 >= 0).all() and (np.abs(scores64.sum(axis=1) - 1) < _SUM_TOLERANCE).all():
        return scores64
    raised = np.exp(scores64 - scores64.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@contextmanager
def judges(network: Network, runtimes: Sequence[str], threads: int = 1) -> Iterator[list[Judge]]:
    """A network on those runtimes that it has the artefact of; on Keras if there is none.

    Raises:
        UserError: a runtime is unknown.
        EnvironmentLacks: a runtime is not here.
    """
    content = network.content
    fitting = [name for name in runtimes if runtime_class(name).artifact in content.artifacts]
    with ExitStack() as stack:
        found = []
        for name in fitting:
            runtime = open_runtime(name, network.bundle.path, content, threads=threads)
            stack.callback(runtime.close)
            found.append(Judge(name, RuntimeOracle(runtime, content.preprocessing, content.task)))
        yield found or [_keras_judge(network)]


def _keras_judge(network: Network) -> Judge:
    content = network.content
    kind = usual_surrogate(content.artifacts)
    surrogate = open_surrogate(
        kind, network.bundle.path, content.preprocessing, content.data.domain, content.task
    )
    return Judge(_FLOAT, Scorer(surrogate))
