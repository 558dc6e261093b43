"""The host's side of firmware/PROTOCOL.md: validates every response, and recovers from faults."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from qbench.errors import InternalFault, QbenchError, UserError
from qbench.link import errors
from qbench.link.codec import Decoder, Frame, FrameType, encode
from qbench.link.deadlines import Deadlines
from qbench.link.flight import Answer, Flight
from qbench.link.messages import (
    PROTOCOL_VERSION,
    DeviceInfo,
    ErrorCode,
    Malformed,
    parse_error,
    parse_info,
    parse_pong,
    parse_result,
    tensor_bytes,
)
from qbench.link.timeouts import MAX_FRUITLESS_SESSIONS
from qbench.link.transport import Port

_SESSIONS = 0xFFFF
_HEARD_LIMIT = 256
# Inputs on their way at most, whatever window a device announces: more hide no latency of any line.
MAX_WINDOW = 1024

T = TypeVar("T")


@dataclass
class LinkStats:
    """What happened on the line so far.

    Attributes:
        inputs, repeats: inputs sent for the first time, and sent again.
        answers: accepted responses.
        dropped: undamaged frames that answered nothing open: repeats, late ones, other sessions'.
        damaged, reported: frames that came in damaged here, and there.
        sessions: HELLOs answered; one if nothing went wrong.
        ports: times that the port was opened again.
        bytes_out, bytes_in: on the wire.
    """

    inputs: int = 0
    repeats: int = 0
    answers: int = 0
    dropped: int = 0
    damaged: int = 0
    reported: int = 0
    sessions: int = 0
    ports: int = 0
    bytes_out: int = 0
    bytes_in: int = 0


class _SessionLost(Exception):
    """The device knows nothing of this session any more: it has restarted."""


class Client:
    """A device behind a port.

    An output counts only if it came in an undamaged frame that names this session, this boot and a
    transmission of an input that is not answered yet. Whatever else happens, an input is sent again or the
    run stops.

    Args:
        port: an open port; the client closes it.
        model_sha256: the model that the device must run, 64 hex digits; None holds on to the first one found.

    Attributes:
        info: what the device said of itself when the latest session began.
        stats: of the line.

    Raises:
        NoAnswer: nothing on the port speaks the protocol.
        WrongModel: the device runs another model.
        DeviceFault: the device refuses to talk, or answers what this version cannot read.
    """

    def __init__(self, port: Port, *, model_sha256: str | None = None) -> None:
        self.port, self.stats = port, LinkStats()
        self._timeouts = port.timeouts
        self._model = model_sha256
        self._identity: DeviceInfo | None = None
        self._session = secrets.randbelow(_SESSIONS)
        self._sequence = 0
        self._decoder = Decoder()
        self._inbox: list[Frame] = []
        self._heard = b""
        self._in_session = False
        self.info = self._hello()

    def close(self) -> None:
        """Close the port."""
        self.port.close()

    def infer(self, inputs: Iterable[bytes]) -> Iterator[Answer]:
        """Run inputs on the device, as many on the way as it can hold.

        Args:
            inputs: the bytes of input tensors; taken lazily.

        Yields:
            The answers, in the order of the inputs.

        Raises:
            UserError: an input does not have the input tensor's size.
            LinkError: the device is silent, gone, unstable or cannot compute an input. All answers that were
                yielded before are right.
            WrongModel: the device came back with another model, or as another device.
        """
        flight = Flight(inputs)
        try:
            yield from self._run(flight)
        except QbenchError:
            yield from flight.ready()  # what came in together with the bad news
            raise

    def _run(self, flight: Flight) -> Iterator[Answer]:
        deadlines, fruitless = Deadlines(self.port.url, self._timeouts), 0
        while not flight.done:
            answers = self.stats.answers
            try:
                if not self._in_session:
                    self.info = self._hello()
                    flight.lose_all()
                    deadlines.restart()
                self._check_fault()
                self._fill(flight)
                if not flight.done:
                    self._take_frames(flight, deadlines)
            except (errors.PortLost, _SessionLost) as lost:
                self._in_session, fruitless = False, fruitless + 1
                if fruitless > MAX_FRUITLESS_SESSIONS:
                    raise errors.unstable(self.port.url, fruitless) from lost
                if isinstance(lost, errors.PortLost):
                    self._reopen()
            if self.stats.answers > answers:
                fruitless = 0
                yield from flight.ready()
                deadlines.restart()

    def _hello(self) -> DeviceInfo:
        """Open a session. What an earlier one left on the line comes in before the answer, and is dropped."""
        self._decoder, self._inbox, self._heard = Decoder(), [], b""
        reported = False
        deadline, retry = time.monotonic() + self._timeouts.hello, self._timeouts.hello_retry
        while (start := time.monotonic()) < deadline:
            self._session = self._session % _SESSIONS + 1
            self.port.write(b"\0")  # ends whatever an interrupted host left half sent
            sequence = self._send(FrameType.HELLO, bytes([PROTOCOL_VERSION]))
            while (left := start + retry - time.monotonic()) > 0:
                for frame in self._receive(left):
                    if frame.kind == FrameType.INFO and frame.sequence == sequence:
                        return self._accept(frame)
                    reported |= self._refused_hello(frame, sequence)
            retry *= 2
        raise errors.no_answer(self.port.url, self.port.baud, self._heard, reported)

    def _refused_hello(self, frame: Frame, sequence: int) -> bool:
        """Whether a frame says that the device received something damaged; raises if it refuses the HELLO."""
        if frame.kind != FrameType.ERROR:
            return False
        refusal = self._parse(parse_error, frame)
        if frame.sequence == sequence and refusal.code in (ErrorCode.VERSION, ErrorCode.LENGTH):
            raise errors.DeviceFault(
                f"the device at {self.port.url} refuses to talk: {refusal.text}",
                cause="firmware and qbench are of different versions",
                hint="flash this version's firmware (qbench firmware flash)",
            )
        return refusal.code == ErrorCode.DAMAGED

    def _accept(self, frame: Frame) -> DeviceInfo:
        """The device's INFO, if its model is the wanted one and runs."""
        info = self._parse(parse_info, frame)
        self.stats.sessions += 1
        self._model = self._model or info.model_sha256
        if info.model_sha256 != self._model:
            raise errors.wrong_model(self.port.url, self._model, info.model_sha256)
        identity = replace(info, boot=0)
        self._identity = self._identity or identity
        if identity != self._identity:
            raise errors.another_device(self.port.url, self._identity, identity)
        self._in_session = True
        self._input_bytes, self._output_bytes = tensor_bytes(info.input), tensor_bytes(info.output)
        return info

    def _reopen(self) -> None:
        self.stats.ports += 1
        self.port.reopen()

    def _fill(self, flight: Flight) -> None:
        """Send inputs until the device's window is full, or it has said something."""
        while flight.open < min(self.info.window, MAX_WINDOW) and not self._inbox:
            taken = flight.take(self._sequence + 1)
            if taken is None:
                return
            data, repeated = taken
            if len(data) != self._input_bytes:
                raise UserError(
                    f"an input has {len(data)} bytes; the input tensor of the device at {self.port.url} has "
                    f"{self._input_bytes}",
                    cause="the inputs were made for another model",
                )
            if repeated:
                self.stats.repeats += 1
            else:
                self.stats.inputs += 1
            self._send(FrameType.INFER, data)

    def _take_frames(self, flight: Flight, deadlines: Deadlines) -> None:
        """Wait for frames and act on them; on none, find out whether something was lost."""
        frames = self._receive(deadlines.time_until_probe())
        for frame in frames:
            if frame.kind == FrameType.RESULT:
                self._take_result(frame, flight)
            elif frame.kind == FrameType.ERROR:
                self._take_error(frame, flight)
            elif frame.kind == FrameType.PONG:
                self._check_boot(self._parse(parse_pong, frame))
                flight.settle(frame.sequence)
            else:
                self.stats.dropped += 1
        if frames:
            deadlines.note_frame()
        if deadlines.probe_due():
            self._send(FrameType.PING)

    def _take_result(self, frame: Frame, flight: Flight) -> None:
        result = self._parse(parse_result, frame)
        self._check_boot(result.boot)
        if len(result.output) != self._output_bytes:
            raise InternalFault(
                f"the device at {self.port.url} answered {len(result.output)} bytes; "
                f"its output tensor has {self._output_bytes}"
            )
        if flight.answer(frame.sequence, result.output, result.count):
            self.stats.answers += 1
        else:
            self.stats.dropped += 1

    def _take_error(self, frame: Frame, flight: Flight) -> None:
        refusal = self._parse(parse_error, frame)
        if refusal.code == ErrorCode.NO_SESSION:
            raise _SessionLost
        if refusal.code in (ErrorCode.DAMAGED, ErrorCode.OVERSIZE):
            self.stats.reported += 1
            flight.lose_oldest()
            return
        if frame.session != self._session or not flight.awaits(frame.sequence):
            self.stats.dropped += 1
            return
        raise errors.DeviceFault(
            f"the device at {self.port.url} cannot compute an input: {refusal.text}",
            hint="run this input on the host runtime to tell the model's fault from the board's",
        )

    def _check_fault(self) -> None:
        if self.info.fault:
            raise errors.DeviceFault(
                f"the device at {self.port.url} cannot run its model: {self.info.fault}",
                hint="qbench firmware pack says beforehand whether a bundle fits a board",
            )

    def _check_boot(self, boot: int) -> None:
        if boot != self.info.boot:
            raise _SessionLost

    def _parse(self, parse: Callable[[bytes], T], frame: Frame) -> T:
        """What an undamaged frame says, in this version's terms."""
        try:
            return parse(frame.payload)
        except Malformed as error:
            raise errors.DeviceFault(
                f"the device at {self.port.url} answers what this qbench cannot read: {error}",
                cause="firmware and qbench are of different versions",
                hint="flash this version's firmware (qbench firmware flash)",
            ) from error

    def _send(self, kind: FrameType, payload: bytes = b"") -> int:
        """Send a frame and return its sequence number; what comes in meanwhile goes to the inbox."""
        self._sequence += 1
        data = encode(Frame(kind, self._session, self._sequence, payload))
        for start in range(0, len(data), self.port.chunk):
            self.port.write(data[start : start + self.port.chunk])
            self._listen(0.0)
        self.stats.bytes_out += len(data)
        return self._sequence

    def _receive(self, timeout: float) -> list[Frame]:
        """The frames of this session that came in; waits for the first."""
        if not self._inbox:
            self._listen(timeout)
        frames, self._inbox = self._inbox, []
        return frames

    def _listen(self, timeout: float) -> None:
        """Read once. Other sessions' frames are dropped, but for errors: one may say that there is none."""
        data = self.port.read(timeout)
        self.stats.bytes_in += len(data)
        self._heard = (self._heard + data)[:_HEARD_LIMIT]
        damaged = self._decoder.damaged
        for frame in self._decoder.feed(data):
            if frame.session == self._session or frame.kind == FrameType.ERROR:
                self._inbox.append(frame)
            else:
                self.stats.dropped += 1
        self.stats.damaged += self._decoder.damaged - damaged
