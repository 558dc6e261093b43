"""A microcontroller on a line: `int8.tflite` where it is meant to run."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import BundleContent, LinkUse, RuntimeInfo, TensorSpec, sha256_of
from qbench.boards import board_named
from qbench.boards.emulator import run_emulated
from qbench.boards.packed_weights import pack_weights
from qbench.errors import QbenchError, UserError
from qbench.link import DEFAULT_BAUD, DeviceInfo, Trace, connect, present_ports
from qbench.link.errors import wrong_model
from qbench.link.messages import tensor_bytes
from qbench.progress import SILENT, Progress
from qbench.quant import Quantization
from qbench.runtimes.base import Computed, Runtime
from qbench.runtimes.packing import build_packed
from qbench.runtimes.tflite import TfliteRuntime, check_tflite, inner_grid
from qbench.text import file_name, plain

_LONGEST_BOARD = 40
_EMULATED, _PACKED = "qemu:", ":packed"


class DeviceRuntime(Runtime):
    """A device that runs a bundle's `int8.tflite`, as many inputs on the way as it can hold.

    Args:
        path: the bundle's file; the device must hold the same bytes, or those of its packed twin
            (`qbench.boards.packed_weights`), which computes the same.
        input, output: its tensors, as the bundle's manifest states them.
        url: a serial port or pty, `socket://HOST:PORT` or `rfc2217://HOST:PORT`.
        baud: of a serial line.
        trace: is shown every byte on the line.

    Raises:
        LinkError: the port cannot be opened, nothing answers, or the device cannot run its model.
        WrongModel: the device runs another model.
    """

    name = "device"
    artifact: ClassVar[str] = "int8.tflite"
    packages: ClassVar[tuple[str, ...]] = TfliteRuntime.packages  # which read the model's grid here
    row_by_row: ClassVar[bool] = True

    def __init__(
        self,
        path: Path,
        input: TensorSpec,  # noqa: A002
        output: TensorSpec,
        url: str,
        *,
        baud: int = DEFAULT_BAUD,
        trace: Trace | None = None,
    ) -> None:
        super().__init__(path, input, output)
        self._seconds = 0.0
        self._grid = input.quantization or inner_grid(check_tflite(self))
        self._client = connect(url, baud=baud, trace=trace)
        try:
            packed = self._is_packed(url)
            list(self._client.infer(()))  # without inputs, only a device that cannot run its model objects
        except BaseException:
            self._client.close()
            raise
        self.name = f"device:{plain(self.device.board, _LONGEST_BOARD)}{'-packed' if packed else ''}"

    def _is_packed(self, url: str) -> bool:
        """Whether the device holds the packed twin rather than the model itself."""
        wanted, found = sha256_of(self.path), self.device.model_sha256
        if found == wanted:
            return False
        if found == hashlib.sha256(pack_weights(self.path.read_bytes()).content).hexdigest():
            return True
        raise wrong_model(url, wanted, found)

    @property
    def device(self) -> DeviceInfo:
        """What the device says of itself."""
        return self._client.info

    @property
    def link(self) -> LinkUse | None:
        """How the line was used so far; None before the first answer."""
        stats = self._client.stats
        if not stats.answers:
            return None
        return LinkUse(
            payload_bytes=stats.answers
            * (tensor_bytes(self.device.input) + tensor_bytes(self.device.output)),
            wire_bytes=stats.bytes_out + stats.bytes_in,
            repeats=stats.repeats,
            damaged=stats.damaged + stats.reported,
            seconds=self._seconds,
        )

    @property
    def counter(self) -> str | None:
        """Instructions, cycles or nanoseconds, as the device says."""
        return None if self.device.counter == "none" else self.device.counter

    @property
    def kernels(self) -> str:
        """Which kernels the firmware was built with, and for which core."""
        return f"{self.device.kernels} {self.device.core}"

    @property
    def info(self) -> RuntimeInfo:
        """The firmware's version, and its kernels."""
        return RuntimeInfo(
            name=self.name,
            artifact=self.artifact,
            package="qbench-firmware",
            version=self.device.firmware,
            kernels=self.kernels,
            threads=self.threads,
        )

    @property
    def grid(self) -> Quantization | None:
        """The grid of the input tensor, or of the QUANTIZE behind a float32 input."""
        return self._grid

    def compute(self, batches: Iterable[NDArray[Any]]) -> Iterator[Computed]:
        """Outputs [1, *output.shape], one by one; the next inputs are sent before an answer has come.

        Raises:
            UserError: the inputs have another shape or dtype.
            LinkError: the device is silent, gone, unstable or cannot compute an input. All outputs that were
                yielded before are right.
        """
        start = time.monotonic()
        for answer in self._client.infer(self._inputs(batches)):
            self._seconds += time.monotonic() - start
            output = np.frombuffer(answer.output, self.output.dtype).reshape(1, *self.output.shape)
            yield Computed(output, np.array([answer.count], np.uint64) if self.counter else None)
            start = time.monotonic()

    def _inputs(self, batches: Iterable[NDArray[Any]]) -> Iterator[bytes]:
        for batch in batches:
            self.check_input(batch)
            for row in batch:
                yield row.tobytes()

    def invoke(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Outputs [n, *output.shape] in the output's dtype, for inputs [n, *input.shape] in the input's.

        Raises:
            UserError: the inputs have another shape or dtype.
            LinkError: as of `compute`.
        """
        nothing = np.empty((0, *self.output.shape), self.output.dtype)
        return np.concatenate([nothing, *(each.outputs for each in self.compute([batch]))])

    def close(self) -> None:
        """Close the port."""
        self._client.close()


@contextmanager
def open_devices(
    urls: Sequence[str],
    bundle: Path,
    content: BundleContent,
    baud: int | None = None,
    trace: Trace | None = None,
) -> Iterator[list[DeviceRuntime]]:
    """The devices at some ports, each with a name of its own, closed in the end.

    Args:
        urls: of the ports, as of `DeviceRuntime`, or `qemu:BOARD` for an emulated board with the model,
            `qemu:BOARD:packed` with the model's packed twin.
        bundle: the bundle's folder.
        content: the bundle's header.
        baud: of serial lines; the firmware's default if None.
        trace: is shown every byte on the lines.

    Raises:
        UserError: a port is named twice, or a device runs another model.
        LinkError: as of `DeviceRuntime`.
        EnvironmentLacks: QEMU or the cross compiler is not installed.
    """
    if len(set(urls)) < len(urls):
        raise UserError("a device is named twice", hint="name each once")
    with ExitStack() as stack:
        opened: list[DeviceRuntime] = []
        for url in urls:
            port = _start_emulator(url, bundle, stack) if url.startswith(_EMULATED) else url
            opened.append(_open(port, bundle, content, baud or DEFAULT_BAUD, trace))
            stack.callback(opened[-1].close)
        _tell_apart(opened)
        yield opened


def _start_emulator(url: str, bundle: Path, stack: ExitStack) -> str:
    """The port of an emulated board that runs the bundle's model, until the stack is closed."""
    board = board_named(url.removeprefix(_EMULATED).removesuffix(_PACKED))
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    model = (bundle / DeviceRuntime.artifact).read_bytes()
    if url.endswith(_PACKED):
        model = pack_weights(model).content
    image = build_packed(model, board, folder / "image.elf").image
    return stack.enter_context(run_emulated(board, image))


def _open(url: str, bundle: Path, content: BundleContent, baud: int, trace: Trace | None) -> DeviceRuntime:
    artifact = content.artifacts.get(DeviceRuntime.artifact)
    if artifact is None:
        raise UserError(
            f"{bundle} has no {DeviceRuntime.artifact}, which devices execute",
            hint=f"it has {', '.join(sorted(content.artifacts))}",
        )
    return DeviceRuntime(
        bundle / DeviceRuntime.artifact, artifact.input, artifact.output, url, baud=baud, trace=trace
    )


def _tell_apart(opened: Sequence[DeviceRuntime]) -> None:
    """Number the boards after the first whose names, or whose folders' names, are the same."""
    taken: set[str] = set()
    for each in opened:
        names = (each.name if i == 1 else f"{each.name}-{i}" for i in count(1))
        each.name = next(name for name in names if file_name(name).lower() not in taken)
        taken.add(file_name(each.name).lower())


def probe(url: str, baud: int | None = None) -> DeviceInfo:
    """What the device at a port says of itself.

    Raises:
        LinkError: the port cannot be opened, or nothing on it speaks the protocol.
    """
    client = connect(url, baud=baud or DEFAULT_BAUD)
    client.close()
    return client.info


def find(baud: int | None = None, progress: Progress = SILENT) -> dict[str, DeviceInfo | QbenchError]:
    """By serial port of this machine, the device that answers there, or why none does.

    Opening a port restarts many boards, so each gets the time that a replay gives it; all ports at once.
    """

    def look(url: str) -> DeviceInfo | QbenchError:
        try:
            return probe(url, baud)
        except QbenchError as error:
            return error

    ports, found = present_ports(), {}
    with (
        ThreadPoolExecutor(max(1, len(ports))) as pool,
        progress.task("asking serial ports", len(ports)) as advance,
    ):
        for port, answer in zip(ports, pool.map(look, ports), strict=True):
            found[port] = answer
            advance(1)
    return found
