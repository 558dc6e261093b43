"""What the members of an ensemble cost on a board."""

from __future__ import annotations

from collections.abc import Sequence

from qbench.artifacts import DeviceResults
from qbench.studies.ensemble.content import EnsembleCost, MemberCost
from qbench.studies.gathering import Gathered, Network


def member_costs(gathered: Gathered, runtimes: Sequence[str]) -> tuple[MemberCost, ...]:
    """Of every network; RAM and time come from the first device of a replay of it.

    Args:
        gathered: networks and replays.
        runtimes: that each network ran on, in their order.
    """
    return tuple(
        _cost(gathered, network, runtime)
        for network, runtime in zip(gathered.networks, runtimes, strict=True)
    )


def sum_costs(members: Sequence[MemberCost]) -> EnsembleCost:
    """Sums where every member's figure is known, of the same board and counter."""
    alike = len({(member.board, member.counter) for member in members}) == 1
    flash = [member.flash_bytes for member in members if member.flash_bytes is not None]
    arenas = [member.arena_bytes for member in members if member.arena_bytes is not None]
    medians = [member.counts.median for member in members if member.counts is not None]
    return EnsembleCost(
        flash_bytes=sum(flash) if len(flash) == len(members) else None,
        arena_bytes=sum(arenas) if alike and len(arenas) == len(members) else None,
        median_count=sum(medians) if alike and len(medians) == len(members) else None,
        counter=members[0].counter if alike else None,
    )


def _cost(gathered: Gathered, network: Network, runtime: str) -> MemberCost:
    stored = network.content.artifacts.get("int8.tflite")
    packed = network.content.packed_bytes
    device = _device(gathered, network)
    return MemberCost(
        network=network.name,
        runtime=runtime,
        flash_bytes=packed or (stored.bytes if stored else None),
        arena_bytes=device.arena_used if device else None,
        board=device.board if device else None,
        counter=device.counter if device else None,
        counts=device.counts if device else None,
    )


def _device(gathered: Gathered, network: Network) -> DeviceResults | None:
    found = (
        device
        for replayed, replay in gathered.replays
        if replayed is network
        for device in replay.content.devices
    )
    return next(found, None)
