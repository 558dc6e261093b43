"""What the attacks share that only ask: counting, budgets, and draws that do not depend on the batch."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qbench.attacks.base import Adversarials, Attack, Settings, Victims
from qbench.attacks.norms import differ, snap_to_grid
from qbench.places import cores
from qbench.surrogate.base import Oracle

# A generator a key is slow for short rows of numbers; splitmix64's finalizer (Steele, Lea and Flood, "Fast
# Splittable Pseudorandom Number Generators", OOPSLA 2014, section 4) hashes whole arrays of keys.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST_SHIFT = np.uint64(31)


class QuerySettings(Settings):
    """Of an attack that asks."""

    budget: int = Field(5000, ge=1, description="queries for each input, at least 1")


class QueryAttack(Attack):
    """Asks the network under attack, and follows no gradient.

    Results do not depend on the batch: every draw belongs to a sample, and a sample that needs nothing more
    is asked for nothing more.
    """

    asks = True
    settings: QuerySettings

    # Queries that the search leaves over, for judging what it found at a budget and on the grid.
    reserved: ClassVar[int] = 2

    @property
    def allowed(self) -> int:
        """Queries that the search may spend on each sample."""
        return max(1, self.settings.budget - self.reserved)

    def on_grid(self, found: Adversarials, victims: Victims, eps: float) -> Adversarials:
        """Moved to the grid, if there is to be one; what moves is asked for again."""
        if self.grid == "float":
            return found
        # From what the oracle saw: an element between two levels could be rounded to the other one here.
        seen = self.as_replayed(found.x, victims.x, eps)
        x = snap_to_grid(seen, victims.x, self.surrogate.domain, eps, self.norm)
        sent = self.as_replayed(x, victims.x, eps)
        moved = differ(sent, seen)
        logits = found.logits.copy()
        if moved.any():
            logits[moved] = self.score(sent[moved])
        return Adversarials(x, logits, found.queries + moved)

    def fill_batch(self, part: Victims) -> Victims:
        """As it is: padding would cost queries."""
        return part

    def draws(self, victims: Victims, start: int = 0) -> Draws:
        """Random numbers for each victim."""
        return Draws.seeded(self.seed, victims.indices, start)


@dataclass
class QueryCounter:
    """An oracle that counts what each sample costs.

    Attributes:
        queries: [n] int64, so far.
    """

    oracle: Oracle
    samples: int
    queries: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.queries = np.zeros(self.samples, np.int64)

    def __call__(self, x: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores [m, classes] of inputs [m, *shape], each asked for the sample that `rows` [m] names."""
        np.add.at(self.queries, rows, 1)
        return self.oracle(x)


@dataclass(frozen=True)
class Draws:
    """A stream of random numbers for each of n samples; a number depends on key and position alone.

    Attributes:
        keys: [n] uint64.
    """

    keys: NDArray[np.uint64]

    @classmethod
    def seeded(cls, seed: int, indices: NDArray[np.int64], start: int = 0) -> Draws:
        """One stream a sample, from the attack's seed and the sample's index in its data set."""
        root = _mix(np.array([seed, start], np.uint64) + _GAMMA)
        return cls(_mix(_mix(indices.astype(np.uint64) ^ root[0]) ^ root[1]))

    def of(self, rows: NDArray[np.int64]) -> Draws:
        """The streams of some samples."""
        return Draws(self.keys[rows])

    def bits(self, step: int, count: int) -> NDArray[np.uint64]:
        """[n, count] uint64, for one step of the attack."""
        at = np.uint64(step) << np.uint64(32) | np.arange(1, count + 1, dtype=np.uint64)
        with np.errstate(over="ignore"):
            return _mix(self.keys[:, None] + at[None, :] * _GAMMA)

    def uniform(self, step: int, count: int) -> NDArray[np.float64]:
        """[n, count] in [0, 1)."""
        return (self.bits(step, count) >> np.uint64(11)) * 2.0**-53

    def signs(self, step: int, count: int) -> NDArray[np.float32]:
        """[n, count] of -1 and 1; one hash gives 64 of them."""
        words = self.bits(step, -(-count // 64)).view(np.uint8)
        bits = np.unpackbits(words, axis=1, bitorder="little")[:, :count]
        drawn = bits.astype(np.float32)
        drawn *= 2
        drawn -= 1
        return drawn

    def normal(self, step: int, count: int) -> NDArray[np.float32]:
        """[n, count], standard normal, by Philox (Salmon et al., SC 2011), which is fast on long rows."""
        drawn = np.empty((len(self.keys), count), np.float32)

        def fill(key: np.uint64, row: NDArray[np.float32]) -> None:
            philox = np.random.Philox(key=[key, np.uint64(step)])
            np.random.Generator(philox).standard_normal(out=row, dtype=np.float32)

        with ThreadPoolExecutor(cores()) as pool:  # generators run outside of Python's lock
            deque(pool.map(fill, self.keys, drawn), maxlen=0)
        return drawn


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Splitmix64's finalizer, element by element."""
    with np.errstate(over="ignore"):
        for shift, factor in _MIX:
            z = (z ^ (z >> shift)) * factor
        return np.asarray(z ^ (z >> _LAST_SHIFT), np.uint64)
