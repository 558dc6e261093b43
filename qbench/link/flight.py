"""Which inputs are on their way: the bookkeeping of a window, without clock or port."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What a device answered to one input.

    Attributes:
        index: of the input, in the order in which the inputs came.
        output: the bytes of the output tensor.
        count: what this inference alone cost, in the device's own unit (`DeviceInfo.counter`).
    """

    index: int
    output: bytes
    count: int


class Flight:
    """Inputs between their first transmission and their answer.

    Every transmission has its own sequence number, so an answer names the very transmission that it belongs
    to. A device answers in the order in which frames reach it: an answer to one transmission says that all
    earlier ones that are still open were lost, on the way there or back.

    Args:
        inputs: taken one by one, as there is room.
    """

    def __init__(self, inputs: Iterable[bytes]) -> None:
        self._source: Iterator[tuple[int, bytes]] = enumerate(inputs)
        self._exhausted = False
        self._unanswered: dict[int, bytes] = {}
        self._sent: dict[int, int] = {}  # sequence -> input, of all transmissions of unanswered inputs
        self._numbers: dict[int, list[int]] = {}  # input -> those sequences
        self._open: deque[int] = deque()  # sequences whose fate is unknown, oldest first
        self._lost: deque[int] = deque()  # inputs to be sent again
        self._answers: dict[int, Answer] = {}
        self._next = 0

    @property
    def done(self) -> bool:
        """Whether all inputs are answered and handed out."""
        return self._exhausted and not self._unanswered and not self._answers

    @property
    def open(self) -> int:
        """Transmissions that the device may still hold."""
        return len(self._open)

    def take(self, sequence: int) -> tuple[bytes, bool] | None:
        """The next input to transmit under this number, and whether it was sent before; None without one."""
        repeated = self._take_lost()
        index = self._take_new() if repeated is None else repeated
        if index is None:
            return None
        self._sent[sequence] = index
        self._numbers.setdefault(index, []).append(sequence)
        self._open.append(sequence)
        return self._unanswered[index], repeated is not None

    def _take_lost(self) -> int | None:
        while self._lost:
            index = self._lost.popleft()
            if index in self._unanswered:
                return index
        return None

    def _take_new(self) -> int | None:
        found = next(self._source, None)
        if found is None:
            self._exhausted = True
            return None
        index, data = found
        self._unanswered[index] = data
        return index

    def answer(self, sequence: int, output: bytes, count: int) -> bool:
        """Record the answer to a transmission; False if its input is answered already or was never sent."""
        self.settle(sequence)
        if self._open and self._open[0] == sequence:
            self._open.popleft()
        index = self._sent.get(sequence)
        if index is None:
            return False
        del self._unanswered[index]
        for number in self._numbers.pop(index):
            del self._sent[number]
        self._answers[index] = Answer(index, output, count)
        return True

    def awaits(self, sequence: int) -> bool:
        """Whether this was a transmission of an input that is not answered yet."""
        return sequence in self._sent

    def settle(self, sequence: int) -> None:
        """Write off the open transmissions before this one: these requests count as lost."""
        while self._open and self._open[0] < sequence:
            self.lose_oldest()

    def lose_oldest(self) -> None:
        """Write off the oldest open transmission: the device says that it received something damaged."""
        if self._open:
            index = self._sent.get(self._open.popleft())
            if index is not None:
                self._lost.append(index)

    def lose_all(self) -> None:
        """Write off all open transmissions: the device has started anew."""
        while self._open:
            self.lose_oldest()

    def ready(self) -> Iterator[Answer]:
        """The answers that are next in the order of the inputs."""
        while self._next in self._answers:
            self._next += 1
            yield self._answers.pop(self._next - 1)
