"""MLPerf Tiny's text commands, so that any board that runs its harness can be replayed on.

The protocol is that of mlcommons/tiny, benchmark/api/internally_implemented.cpp. It has no checksum, so what
matters is asked twice: the input buffer is read back before the inference, the results are read again after.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from qbench.link import errors
from qbench.link.transport import Port

# The harness keeps 80 characters of a command; "db " and 32 bytes in hex leave some to spare.
_BYTES_A_COMMAND = 32
_ATTEMPTS = 5

_NAME = re.compile(r"m-name-(?:dut-)?\[?([^\]]*)\]?")
_MODEL = re.compile(r"m-model-\[(.*)\]")
_BUFFER = re.compile(r"m-buffer-([0-9a-fA-F]{2}(?:-[0-9a-fA-F]{2})*)")
_LAP = re.compile(r"m-lap-us-(\d+)")
_RESULTS = re.compile(r"m-results-\[([-+0-9.eE, ]+)\]")
_REFUSED = re.compile(r"e-\[(.*)\]|(Supplied buffer size.*|Input db has.*)")

T = TypeVar("T")


@dataclass(frozen=True)
class TextAnswer:
    """What a board printed for one input.

    Attributes:
        index: of the input, in the order in which the inputs came.
        values: of the output, in real units, to three decimals.
        microseconds: that the inference took; read once, so a damaged digit may go unnoticed.
    """

    index: int
    values: tuple[float, ...]
    microseconds: int


class _Garbled(Exception):
    """The board did not say what it says when all goes well."""


class MlperfTinyClient:
    """A board that runs MLPerf Tiny's harness.

    Its harness tells no hash of its model and no restart: that the right model is flashed is the user's word.

    Args:
        port: an open port; the client closes it.

    Attributes:
        name, model: as the board tells them; "" where it does not.

    Raises:
        NoAnswer: nothing on the port speaks these commands.
    """

    def __init__(self, port: Port) -> None:
        self.port = port
        self._heard = b""
        self.name = _first(_NAME, self._synchronize())
        profile = self._insist("its profile", partial(self._command, "profile"))
        self.model = _first(_MODEL, profile)

    def close(self) -> None:
        """Close the port."""
        self.port.close()

    def infer(self, inputs: Iterable[bytes]) -> Iterator[TextAnswer]:
        """Run inputs one by one.

        Args:
            inputs: the bytes that the board's `db` buffer takes: uint8 pixels for image classification, the
                model's own int8 features for keyword spotting.

        Raises:
            DeviceFault: the board refuses an input.
            DeviceUnstable: an input was damaged on the line again and again.
            PortLost: the port is gone.
        """
        for index, data in enumerate(inputs):
            yield self._insist(f"input {index}", partial(self._infer, index, data))

    def _insist(self, what: str, action: Callable[[], T]) -> T:
        """Do it again until nothing is garbled; a refusal in the same words each time is the board's own."""
        failures: list[str] = []
        while len(failures) < _ATTEMPTS:
            try:
                return action()
            except _Garbled as garbled:
                failures.append(str(garbled))
            self._synchronize()
        if failures[0] and len(set(failures)) == 1:
            raise errors.DeviceFault(
                f"the board at {self.port.url} refuses {what}: {failures[0]}",
                cause="the inputs were made for another model",
            )
        raise errors.garbled(self.port.url, what, _ATTEMPTS)

    def _infer(self, index: int, data: bytes) -> TextAnswer:
        self._load(data)
        return self._run(index)

    def _load(self, data: bytes) -> None:
        """Fill the board's buffer, and make sure that it holds what was sent."""
        self._command(f"db load {len(data)}")
        for start in range(0, len(data), _BYTES_A_COMMAND):
            lines = self._command(f"db {data[start : start + _BYTES_A_COMMAND].hex()}")
        if "m-load-done" not in lines:
            raise _Garbled
        kept = "".join(part for line in self._command("db print") for part in _BUFFER.findall(line))
        if kept.replace("-", "").lower() != data.hex():
            raise _Garbled

    def _run(self, index: int) -> TextAnswer:
        """One inference; its results count if the board prints the same ones again."""
        lines = self._command("infer 1 0")
        laps = [int(lap) for line in lines for lap in _LAP.findall(line)]
        results = _first(_RESULTS, lines)
        if "m-infer-start-1" not in lines or len(laps) != 2 or not results:
            raise _Garbled
        if _first(_RESULTS, self._command("results")) != results:
            raise _Garbled
        try:
            values = tuple(float(value) for value in results.split(","))
        except ValueError as error:
            raise _Garbled from error
        return TextAnswer(index, values, (laps[1] - laps[0]) % (1 << 32))

    def _synchronize(self) -> list[str]:
        """Get the board to answer `name`, whatever was half said before."""
        deadline = time.monotonic() + self.port.timeouts.hello
        while time.monotonic() < deadline:
            while time.monotonic() < deadline and self.port.read(self.port.timeouts.hello_retry / 5):
                pass  # what belongs to an earlier command
            try:
                lines = self._command("name", self.port.timeouts.hello_retry)
            except _Garbled:
                continue
            if _first(_NAME, lines):
                return lines
        raise errors.no_answer(self.port.url, self.port.baud, self._heard, damage_reported=False)

    def _command(self, text: str, timeout: float | None = None) -> list[str]:
        """The lines that the board answers to a command, without the closing `m-ready`."""
        self.port.write(f"{text}%".encode("ascii"))
        deadline = time.monotonic() + (timeout or self.port.timeouts.silent)
        heard = b""
        while b"m-ready\r\n" not in heard:
            if (left := deadline - time.monotonic()) <= 0:
                raise _Garbled
            heard += self.port.read(left)
            self._heard = heard[:256] or self._heard
        lines = heard.split(b"m-ready\r\n")[0].decode("ascii", "replace").splitlines()
        for line in lines:
            if refused := _REFUSED.match(line.strip()):
                raise _Garbled(refused[1] or refused[2])
        return lines


def _first(pattern: re.Pattern[str], lines: list[str]) -> str:
    """The first group of the first whole line that matches; "" if none does."""
    return next((match[1] for line in lines if (match := pattern.fullmatch(line.strip()))), "")
