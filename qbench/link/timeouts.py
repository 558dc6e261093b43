"""How long the link waits, each figure with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeouts:
    """Seconds.

    Attributes:
        hello: until a device must have answered a HELLO. A board boots, hashes its model and plans its arena
            in under a second; an emulated one first finishes the inferences that an interrupted host left it.
        hello_retry: until the second HELLO: the first may fall into the boot, or behind noise. Doubles.
        probe: of silence until a PING asks whether an input or its answer was lost. It costs 19 bytes and is
            answered in turn, so a slow inference is never mistaken for a loss. Doubles from PING to PING.
        silent: without one undamaged frame until a device counts as dead: longer than any network that fits a
            microcontroller takes for one inference, emulated.
        progress: without one new answer, however busy the line is.
        write: until the system must have taken a few bytes; a UART at 1,200 baud still moves that many.
        port_return: for a port that vanished to come back: USB enumeration takes one to three seconds, a hub
            or a debug probe that restarts up to ten.
        port_poll: between two looks for it.
    """

    hello: float = 10.0
    hello_retry: float = 0.5
    probe: float = 0.5
    silent: float = 30.0
    progress: float = 120.0
    write: float = 10.0
    port_return: float = 15.0
    port_poll: float = 0.2


TIMEOUTS = Timeouts()

# Sessions begun without an answer in between, after which a board counts as one that cannot keep running.
MAX_FRUITLESS_SESSIONS = 5
