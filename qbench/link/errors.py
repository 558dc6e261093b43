"""What can go wrong on a serial line, with the likely cause and the remedy."""

from __future__ import annotations

import errno
import re
from dataclasses import fields
from typing import TYPE_CHECKING

from qbench.errors import EnvironmentLacks, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qbench.link.messages import DeviceInfo

_BUSY = {errno.EBUSY, errno.EAGAIN}
_FORBIDDEN = {errno.EACCES, errno.EPERM}
_TEXT_SHARE = 0.9

# True of a replay and of an attack by queries; in the hints to what can go wrong in their midst.
_GOES_ON = "run the same command again: what is finished is kept, and it goes on where it stopped"


class LinkError(EnvironmentLacks):
    """The device cannot be reached or does not do its part."""


class PortLost(LinkError):
    """A port that was open is gone, or takes no more bytes."""


class NoAnswer(LinkError):
    """The port is open and nothing on it speaks the protocol."""


class DeviceFault(LinkError):
    """The device answered that it cannot do what it was asked."""


class DeviceUnstable(LinkError):
    """The device restarts, or loses everything, again and again."""


class WrongModel(UserError):
    """The device runs another model than the bundle's."""


def port_error(url: str, error: Exception, present: Sequence[str]) -> LinkError:
    """Why a port cannot be opened, from what the system or pyserial said.

    Args:
        url: as the user typed it.
        error: an OSError or ValueError.
        present: the serial ports of this machine.
    """
    number, text = getattr(error, "errno", None), str(error)
    if number in _FORBIDDEN or "Permission denied" in text:
        return LinkError(
            f"no permission to open {url}",
            cause="the user is not in the group that owns serial ports",
            hint="sudo usermod -aG dialout $USER (uucp on Arch) and log in again, or a udev rule: "
            'SUBSYSTEM=="tty", ATTRS{idVendor}=="<vendor>", TAG+="uaccess"',
        )
    if number in _BUSY or "exclusively lock" in text:
        return LinkError(
            f"{url} is in use",
            cause="another program holds it: a serial monitor, a debugger, ModemManager, another qbench",
            hint=f"close it; fuser {url} names it",
        )
    if number == errno.ENOENT or "No such file" in text:
        ports = (
            f"ports on this machine: {', '.join(present)}" if present else "this machine has no serial port"
        )
        return LinkError(
            f"there is no port {url}", cause="the board is not plugged in or has no power", hint=ports
        )
    if number == errno.ECONNREFUSED or "refused" in text:
        return LinkError(
            f"nothing listens at {url}", cause="the serial server is not running", hint="start it"
        )
    if isinstance(error, ValueError):
        return LinkError(
            f"{url} is not a port", cause=text, hint="a path, socket://HOST:PORT or rfc2217://HOST:PORT"
        )
    return LinkError(f"{url} cannot be opened", cause=text)


def port_lost(url: str, error: Exception) -> PortLost:
    """A port that failed while it was in use."""
    return PortLost(
        f"{url} is gone", cause=str(error), hint=f"check the cable and the board's power; {_GOES_ON}"
    )


def no_answer(url: str, baud: int, heard: bytes, damage_reported: bool) -> NoAnswer:
    """Why a HELLO went unanswered, judged by what came in instead.

    Args:
        url: of the port.
        baud: of the port.
        heard: the first bytes that came in.
        damage_reported: whether the device answered that the host's frames reach it damaged.
    """
    if damage_reported:
        return NoAnswer(
            f"the device at {url} receives only damaged frames",
            cause="noise on the line to the device, or two programs that write to it",
            hint="check ground and cable; try a lower --baud on both sides",
        )
    if not heard:
        return NoAnswer(
            f"nothing answers at {url}",
            cause="the board is off, held in reset or in its boot loader, RX and TX are swapped, or it runs "
            "firmware that says nothing",
            hint="press reset, flash the firmware (qbench firmware flash), or name another port",
        )
    if _looks_like_text(heard):
        cause = "it runs MLPerf Tiny's harness" if re.search(rb"\bm-\w", heard) else "it runs other firmware"
        excerpt = heard.decode("ascii", "replace").strip().splitlines()[0][:60]
        return NoAnswer(
            f"{url} answers text, not qbench's frames: {excerpt!r}",
            cause=cause,
            hint="flash qbench's firmware (qbench firmware flash)",
        )
    return NoAnswer(
        f"{url} answers bytes that are no frames: {heard[:16].hex(' ')}",
        cause=f"the baud rate is not {baud}, or the board runs other firmware",
        hint="name the firmware's rate with --baud; 115200 is its default",
    )


def device_silent(url: str, seconds: float) -> NoAnswer:
    """A device that answered before and does so no more."""
    return NoAnswer(
        f"the device at {url} has been silent for {seconds:.0f} s",
        cause="it hangs, lost power, or its cable is loose",
        hint=f"reset the board; {_GOES_ON}",
    )


def no_progress(url: str, seconds: float) -> DeviceUnstable:
    """A line on which frames come and go and no input gets through."""
    return DeviceUnstable(
        f"no input got through to {url} and back in {seconds:.0f} s, although the line is alive",
        cause="nearly every long frame is damaged: a noisy line, or a rate at the edge of the UARTs",
        hint=f"use a lower --baud on both sides; {_GOES_ON}",
    )


def garbled(url: str, what: str, attempts: int) -> DeviceUnstable:
    """A text protocol on which something never came through whole."""
    return DeviceUnstable(
        f"{what} was damaged on the way to {url} or back {attempts} times in a row",
        cause="a noisy line, a wrong baud rate by a little, or a harness that loses bytes",
        hint="use a lower --baud on both sides, or qbench's own firmware, whose protocol has checksums",
    )


def unstable(url: str, sessions: int) -> DeviceUnstable:
    """A device that keeps restarting."""
    return DeviceUnstable(
        f"the device at {url} restarted {sessions} times without an answer in between",
        cause="it crashes on this input, its stack or arena overflows, a watchdog bites, or the supply sags",
        hint=f"try another supply; {_GOES_ON}",
    )


def wrong_model(url: str, wanted: str, found: str) -> WrongModel:
    """A device whose model is not the one to be replayed."""
    return WrongModel(
        f"the device at {url} runs the model {found[:12]}, not {wanted[:12]}",
        cause="it was flashed with another bundle",
        hint="qbench firmware pack and flash the bundle that is to be replayed",
    )


def another_device(url: str, known: DeviceInfo, found: DeviceInfo) -> WrongModel:
    """A device that came back as another one: its answers must not be mixed with the first one's."""
    changed = [
        f"{name}: {getattr(found, name)!r}, before {getattr(known, name)!r}"
        for name in (field.name for field in fields(known))
        if getattr(found, name) != getattr(known, name)
    ]
    return WrongModel(
        f"the device at {url} came back as another one",
        cause=f"it says other things of itself ({'; '.join(changed)})",
        hint="boards were swapped, or one was flashed anew: plug in the first one and run the same command "
        "again, or begin anew in another --out",
    )


def _looks_like_text(heard: bytes) -> bool:
    """Whether bytes are ASCII text, give or take a torn start."""
    printable = sum(32 <= byte < 127 or byte in b"\r\n\t" for byte in heard)
    return printable >= _TEXT_SHARE * len(heard)
