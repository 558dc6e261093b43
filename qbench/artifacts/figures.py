"""Shares, means and comparisons, each with its interval, as artefacts hold them."""

from __future__ import annotations

from qbench.artifacts.base import Record

# Of the exact tests, as of all intervals.
_ALPHA = 0.05


class Proportion(Record):
    """A share with its Wilson 95 % score interval (Wilson, 1927); all None when nothing was counted."""

    count: int
    total: int
    value: float | None
    low: float | None
    high: float | None


class Estimate(Record):
    """A mean or a difference with its 95 % interval; None where nothing was measured.

    Attributes:
        count: of the inputs that it rests on.
    """

    count: int
    value: float | None
    low: float | None
    high: float | None


class PairedTest(Record):
    """Two treatments of the same inputs, compared input by input.

    Attributes:
        first, second: their names.
        total: inputs that both were tried on.
        only_first, only_second: inputs that only the one still gets right.
        difference: share that the first gets right less that of the second.
        p_value: of McNemar's exact test.
    """

    first: str
    second: str
    total: int
    only_first: int
    only_second: int
    difference: Estimate
    p_value: float

    @property
    def better(self) -> str | None:
        """The one that gets more right beyond doubt, by interval and test; None if neither does."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None or low <= 0 <= high or self.p_value >= _ALPHA:
            return None
        return self.first if low > 0 else self.second
