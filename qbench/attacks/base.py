"""What every attack shares: settings, batches, restarts, the input grid, seeds, the check of the result."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from qbench.artifacts.base import Record
from qbench.attacks.goals import ErrorGoal, Goal
from qbench.attacks.norms import snap_to_grid
from qbench.errors import InternalFault, UserError, unknown_name
from qbench.quant import Norm, size
from qbench.surrogate.base import Oracle, Surrogate
from qbench.surrogate.memory import halve, out_of_memory
from qbench.surrogate.scoring import Scorer, check_finite

if TYPE_CHECKING:
    import tensorflow as tf

Array = NDArray[np.float32]
Grid = Literal["float", "uint8"]

# Float32 addition may leave the ball by this share of its radius plus this share of the domain's width.
_RELATIVE_SLACK = 1e-5
_ABSOLUTE_SLACK = 1e-6


@dataclass(frozen=True)
class Victims:
    """The inputs that an attack starts from.

    Attributes:
        x: [n, *shape] float32 in the domain.
        y: [n] int64, the true labels; those to reach, for a targeted attack.
        indices: [n] int64, where they come from; random draws depend on these and on nothing else.
        examples: by label an input [*shape] that the network gives it, for attacks that walk from one.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    indices: NDArray[np.int64]
    examples: Mapping[int, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, start: int, stop: int) -> Victims:
        """A part of them."""
        part = slice(start, stop)
        return replace(self, x=self.x[part], y=self.y[part], indices=self.indices[part])

    def select(self, rows: NDArray[np.int64]) -> Victims:
        """Those at some positions."""
        return replace(self, x=self.x[rows], y=self.y[rows], indices=self.indices[rows])

    def pad(self, count: int) -> Victims:
        """Repeated up to `count`, so that every batch has the shape that the graph was compiled for."""
        return self.select(np.arange(count) % len(self))


@dataclass(frozen=True)
class Adversarials:
    """What an attack returns.

    Attributes:
        x: [n, *shape] float32 in the domain.
        logits: [n, classes] float32, what the attacked network says of them.
        queries: [n] int64, how often the attack asked an oracle for each; zero where it had a gradient.
    """

    x: NDArray[np.float32]
    logits: NDArray[np.float32]
    queries: NDArray[np.int64]

    @classmethod
    def without_queries(cls, x: NDArray[np.float32], logits: NDArray[np.float32]) -> Adversarials:
        """Found by a gradient."""
        return cls(x, logits, np.zeros(len(x), np.int64))

    def first(self, count: int) -> Adversarials:
        """Without what belongs to padding."""
        return Adversarials(self.x[:count], self.logits[:count], self.queries[:count])

    def better_of(self, other: Adversarials, y: NDArray[np.int64], goal: Goal) -> Adversarials:
        """Sample by sample the one that harms more; this one where they are equal. Queries add up."""
        other_wins = goal.more_harmful(other.logits, self.logits, y)
        wide = other_wins.reshape(-1, *[1] * (self.x.ndim - 1))
        return Adversarials(
            np.where(wide, other.x, self.x),
            np.where(other_wins[:, None], other.logits, self.logits),
            self.queries + other.queries,
        )


class Settings(Record):
    """Base of every attack's settings: numbers of steps, sizes, restarts, each with its default."""


class Attack(ABC):
    """Perturbs inputs within a ball around each. A subclass says how to search.

    Args:
        surrogate: the network whose gradient is followed.
        oracle: the network to fool, by queries alone; the surrogate if None.
        norm: of the ball; the first of the attack's own if None.
        grid: "uint8" keeps results on the domain's grid; the domain must have one.
        seed: of all random draws.
        batch: inputs a pass. Kernels order their sums by it, so that results may differ in float rounding:
            on ResNet-8 none did between 32 and 256, and 1 input in 300 did at 7 (the sign of a gradient
            that is all but zero).
        targeted: the victims' labels are those to reach, not those to leave.
        settings: fields of `settings_type`.

    Attributes:
        name: as typed after `--attack`.
        norms: that the attack is defined for, the default first.
        targetable: whether its paper says how to reach a label that is given.
        regresses: whether it can raise the error of a regression, as one that follows its goal alone.
        needs_examples: whether the search starts from inputs that have a wanted label already.
        asks: whether it asks the oracle on its way, rather than judging by it in the end.
        follows_several: whether it takes more surrogates than one, as `others`.
        settings_type: what it can be told.
        settings: what it was told.

    Raises:
        UserError: a setting means nothing to this attack.
    """

    name: ClassVar[str]
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2")
    targetable: ClassVar[bool] = False
    regresses: ClassVar[bool] = False
    needs_examples: ClassVar[bool] = False
    asks: ClassVar[bool] = False
    follows_several: ClassVar[bool] = False
    settings_type: ClassVar[type[Settings]]
    settings: Settings

    def __init__(
        self,
        surrogate: Surrogate,
        oracle: Oracle | None = None,
        *,
        norm: Norm | None = None,
        grid: Grid = "float",
        seed: int = 0,
        batch: int = 256,
        targeted: bool = False,
        **settings: Any,
    ) -> None:
        self.settings = self.configure(**settings)
        self.norm = self.choose_norm(norm)
        self.goal = self.choose_goal(targeted)
        self.surrogate, self.grid, self.seed, self.batch = surrogate, grid, seed, batch
        self.score: Oracle = oracle or Scorer(surrogate, batch)

    def maximize_error(self, values: Array) -> None:
        """Go for the largest error of a regression; a victim's y is then its position among the true values.

        Args:
            values: [inputs, elements] float32.
        """
        self.goal = ErrorGoal(values=values)

    @classmethod
    def configure(cls, **settings: Any) -> Settings:
        """The settings, checked before anything is loaded.

        Raises:
            UserError: which one means nothing to this attack, and why.
        """
        known = cls.settings_type.model_fields
        for name in settings:
            if name not in known:
                raise unknown_name(f"setting of {cls.name}", name, known)
        try:
            return cls.settings_type(**settings)
        except ValidationError as error:
            first = error.errors()[0]
            name, said = str(first["loc"][0]), first["msg"]
            raise UserError(
                f"{cls.name}: {name.replace('_', ' ')} {first['input']} cannot be used",
                cause=said,
                hint=known[name].description,
            ) from error

    @classmethod
    def choose_goal(cls, targeted: bool) -> Goal:
        """What the attack is to reach.

        Raises:
            UserError: a target is given, and the attack is not defined for one.
        """
        if targeted and not cls.targetable:
            raise UserError(
                f"{cls.name} takes no target", hint="`qbench attacks` says which attacks take one"
            )
        return Goal(targeted)

    @classmethod
    def choose_norm(cls, norm: Norm | None) -> Norm:
        """The norm, or the attack's own.

        Raises:
            UserError: the attack is not defined for it.
        """
        if norm is not None and norm not in cls.norms:
            raise UserError(
                f"{cls.name} is not defined for {norm}", hint=f"it takes {' or '.join(cls.norms)}"
            )
        return norm or cls.norms[0]

    def followed(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The loss [n] whose gradient the search follows, for logits [n, classes]; traced."""
        return self.goal.margin(logits, y)

    @abstractmethod
    def attack_batch(self, victims: Victims, budgets: Sequence[float]) -> tuple[Adversarials, ...]:
        """Adversarial inputs for one whole batch, one result a budget."""

    def perturb(
        self, victims: Victims, budgets: Sequence[float], note: Callable[[str], None] = lambda _: None
    ) -> Iterator[tuple[Adversarials, ...]]:
        """Adversarial inputs for all victims, batch by batch, in order; of each batch one result a budget.

        A batch for which memory does not suffice is halved, and so are those after it; `note` is told.

        Raises:
            UserError: the network gives NaN or infinite scores.
            EnvironmentLacks: memory does not suffice for a single input.
            InternalFault: a result lies outside the ball or the domain.
        """
        start = 0
        while start < len(victims):
            part = victims.rows(start, start + self.batch)
            try:
                found = tuple(
                    each.first(len(part)) for each in self.attack_batch(self.fill_batch(part), budgets)
                )
            except out_of_memory() as error:
                self.batch = halve(self.batch, error)
                note(f"there is not enough memory for the batch: going on with {self.batch} inputs a pass")
                continue
            for result, eps in zip(found, budgets, strict=True):
                self._check(part, result, eps)
            yield found
            start += len(part)

    def fill_batch(self, part: Victims) -> Victims:
        """A batch as `attack_batch` gets it: of full size, so that the graph is compiled once."""
        return part.pad(self.batch)

    def on_grid(self, found: Adversarials, victims: Victims, eps: float) -> Adversarials:
        """Moved to the grid, if there is to be one."""
        if self.grid == "float":
            return found
        x = snap_to_grid(found.x, victims.x, self.surrogate.domain, eps, self.norm)
        return Adversarials(x, self.score(self.as_replayed(x, victims.x, eps)), found.queries)

    def as_replayed(self, x_adv: Array, x: Array, eps: float) -> Array:
        """Inputs [n, *shape] as the network under attack will get them, for it to judge."""
        return self.score.as_replayed(x_adv, x, eps, self.norm)

    def _check(self, victims: Victims, result: Adversarials, eps: float) -> None:
        check_finite(result.logits, self.score.name)
        domain = self.surrogate.domain
        slack = _RELATIVE_SLACK * eps + _ABSOLUTE_SLACK * (domain.high - domain.low)
        if self.norm == "l1":  # adds up one independent rounding error an element
            slack *= math.sqrt(victims.x[0].size)
        largest = size(result.x - victims.x, self.norm).max()
        low, high = np.float32(domain.low), np.float32(domain.high)
        if largest > eps + slack or result.x.min() < low or result.x.max() > high:
            raise InternalFault(f"{self.name} left the ball or the domain: {largest} where eps is {eps}")


class BoundedAttack(Attack):
    """Searches a ball, once a budget and restart."""

    @property
    def restarts(self) -> int:
        """Searches, each from a start of its own; the best result counts."""
        return 1

    @abstractmethod
    def search(self, victims: Victims, eps: float, restart: int) -> Adversarials:
        """The best perturbation of one whole batch from one start; the subclass keeps to the bounds."""

    def attack_batch(self, victims: Victims, budgets: Sequence[float]) -> tuple[Adversarials, ...]:
        """The best of all restarts."""
        return tuple(self._best(victims, eps) for eps in budgets)

    def _best(self, victims: Victims, eps: float) -> Adversarials:
        best = self.on_grid(self.search(victims, eps, 0), victims, eps)
        for restart in range(1, self.restarts):
            found = self.on_grid(self.search(victims, eps, restart), victims, eps)
            best = best.better_of(found, victims.y, self.goal)
        return best
