"""Frames under every kind of damage: what comes out went in, or nothing does."""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np
import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st

from qbench.link.codec import MAX_PAYLOAD, OVERHEAD, Decoder, Frame, Kind, decode, encode, wire_bytes
from qbench.link.messages import (
    ErrorCode,
    Malformed,
    parse_error,
    parse_info,
    parse_pong,
    parse_result,
)

from .affine_device import FIRMWARE, affine

ROW = re.compile(r"^(frame|damaged|oversize|host|device) (.+)$")

frames = st.builds(
    Frame,
    kind=st.integers(0, 0xFF),
    session=st.integers(0, 0xFFFF),
    sequence=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=600) | st.integers(240, 530).map(lambda n: bytes([1]) * n),
)


def examples(kind):
    block = (FIRMWARE / "PROTOCOL.md").read_text().split("```examples\n")[1].split("```")[0]
    rows = [match.groups() for line in block.splitlines() if (match := ROW.match(line))]
    return [text for name, text in rows if name in kind]


@pytest.mark.parametrize("row", examples(("frame",)))
def test_examples_encode_and_decode(row):
    kind, session, sequence, payload, wire = row.split()
    frame = Frame(int(kind, 16), int(session, 16), int(sequence, 16), bytes.fromhex(payload.replace("-", "")))
    assert encode(frame).hex() == wire
    assert Decoder().feed(bytes.fromhex(wire)) == [frame]


@pytest.mark.parametrize("wire", examples(("damaged",)))
def test_examples_of_damage_are_dropped(wire):
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex(wire)) == []
    assert decoder.damaged == 1


def test_the_dialogue_means_what_it_says():
    wires = b"".join(map(bytes.fromhex, examples(("device",))))
    answers = Decoder().feed(wires)
    errors = [parse_error(frame.payload) for frame in answers if frame.kind == Kind.ERROR]
    assert [error.code for error in errors] == [
        ErrorCode.NO_SESSION,
        ErrorCode.VERSION,
        ErrorCode.DAMAGED,
        ErrorCode.OVERSIZE,
        ErrorCode.LENGTH,
        ErrorCode.COMMAND,
        ErrorCode.INFERENCE,
        ErrorCode.NO_SESSION,
    ]
    assert all(error.boot == 0xB007B007 for error in errors)
    (info,) = (parse_info(frame.payload) for frame in answers if frame.kind == Kind.INFO)
    assert (info.firmware, info.board, info.core, info.kernels) == (
        "qbench 0.1",
        "example",
        "Cortex-M4F",
        "portable",
    )
    assert (info.counter, info.clock_hz, info.window, info.model_sha256) == (
        "cycles",
        168_000_000,
        17,
        "05" * 32,
    )
    assert (info.model_bytes, info.arena_used, info.arena_available, info.fault) == (4096, 1000, 2000, None)
    (boot,) = (parse_pong(frame.payload) for frame in answers if frame.kind == Kind.PONG)
    assert boot == info.boot
    result = next(parse_result(frame.payload) for frame in answers if frame.kind == Kind.RESULT)
    x = np.array([[1, 2, 3, 4, 5, 6, 7, 128]], np.uint8)
    assert (result.count, result.output) == (156, affine(x, 5).tobytes())


@given(frames)
def test_round_trip(frame):
    wire = encode(frame)
    assert wire.count(0) == 1
    assert len(wire) <= wire_bytes(len(frame.payload))
    assert Decoder().feed(wire) == [frame]


@given(st.lists(frames, max_size=5), st.data())
def test_a_stream_may_arrive_in_any_pieces(sent, data):
    wire = b"\0".join(map(encode, sent))
    decoder = Decoder()
    found = []
    while wire:
        size = data.draw(st.integers(1, len(wire)))
        found += decoder.feed(wire[:size])
        wire = wire[size:]
    assert (found, decoder.damaged) == (sent, 0)


@given(frames, st.data())
def test_flipped_bits_never_pass(frame, data):
    wire = bytearray(encode(frame))
    for place in data.draw(st.sets(st.integers(0, 8 * len(wire) - 9), min_size=1, max_size=8)):
        wire[place // 8] ^= 1 << place % 8
    assert Decoder().feed(bytes(wire)) == []


@given(frames, st.data())
def test_lost_bytes_never_pass(frame, data):
    wire = encode(frame)
    start = data.draw(st.integers(0, len(wire) - 2))
    end = data.draw(st.integers(start + 1, len(wire) - 1))
    assert [f for f in Decoder().feed(wire[:start] + wire[end:]) if f != frame] == []


@given(frames, st.data())
def test_repeated_and_exchanged_bytes_never_pass(frame, data):
    wire = encode(frame)
    at = data.draw(st.integers(0, len(wire) - 2))
    repeated = wire[: at + 1] + wire[at:]
    exchanged = wire[:at] + wire[at : at + 2][::-1] + wire[at + 2 :]
    for damaged in (repeated, exchanged):
        assert [f for f in Decoder().feed(damaged + b"\0") if f != frame] == []


@given(st.lists(frames, min_size=2, max_size=6, unique_by=lambda f: f.sequence), st.data())
def test_damage_to_one_frame_costs_no_other(sent, data):
    victim = data.draw(st.integers(0, len(sent) - 1))
    wires = [encode(frame) for frame in sent]
    torn = bytearray(wires[victim])
    torn[data.draw(st.integers(0, len(torn) - 2))] ^= data.draw(st.integers(1, 255))
    wires[victim] = bytes(torn)
    assert Decoder().feed(b"".join(wires)) == sent[:victim] + sent[victim + 1 :]


@given(st.binary(max_size=4000))
@settings(max_examples=200)
def test_noise_is_no_frame_and_the_next_one_passes(noise):
    decoder = Decoder()
    frame = Frame(Kind.PONG, 1, 2, b"1234")
    assert decoder.feed(noise + b"\0" + encode(frame)) == [frame]


def test_noise_without_end_takes_no_memory():
    decoder = Decoder(limit=1000)
    for _ in range(100):
        assert decoder.feed(b"\x55" * 100) == []
    frame = Frame(Kind.PONG, 1, 2)
    assert decoder.feed(b"\0" + encode(frame)) == [frame]
    assert decoder.damaged == 1


@pytest.mark.parametrize("length", [0, 1, 9, 11])
def test_a_length_that_lies_is_dropped(length):
    body = struct.pack("<IHI", Kind.INFER | length << 8, 1, 2) + bytes(10)
    assert decode(cobs.encode(body + struct.pack("<I", zlib.crc32(body)))) is None


def test_a_payload_that_fits_no_frame_is_refused():
    with pytest.raises(ValueError, match="at most"):
        encode(Frame(Kind.INFER, 1, 1, bytes(MAX_PAYLOAD + 1)))


def test_overhead_is_below_five_percent_where_it_matters():
    for payload in (490, 3072, 27648):
        assert payload / wire_bytes(payload) > 0.95
    assert OVERHEAD == 14


@pytest.mark.parametrize(("payload", "wire"), [(0, 16), (239, 255), (240, 257), (493, 510), (494, 512)])
def test_stuffing_costs_a_byte_in_254_and_one_more(payload, wire):
    found = wire_bytes(payload)
    assert (found, type(found)) == (wire, int)
    assert len(cobs.encode(bytes([1]) * (payload + OVERHEAD))) + 1 <= wire


def understood(parse, payload):
    """What a parser makes of a payload; None if it refuses it."""
    try:
        return parse(payload)
    except Malformed:
        return None


@given(st.binary(max_size=40))
def test_a_result_is_every_byte_of_its_payload(payload):
    found = understood(parse_result, payload)
    assert (found is None) == (len(payload) < 12)
    assert found is None or struct.pack("<IQ", found.boot, found.count) + found.output == payload


@given(st.binary(max_size=12))
def test_a_pong_is_its_first_four_bytes(payload):
    found = understood(parse_pong, payload)
    assert found == (None if len(payload) < 4 else struct.unpack_from("<I", payload)[0])


@given(head=st.binary(min_size=5, max_size=5), text=st.text("a-z 0.", max_size=20), cut=st.integers(0, 26))
def test_an_error_is_its_fields_or_refused_where_it_ends_early(head, text, cut):
    whole = head + bytes([len(text)]) + text.encode()
    found = understood(parse_error, whole[:cut])
    if cut < len(whole):
        assert found is None
    else:
        assert (struct.pack("<IB", found.boot, found.code), found.text) == (head, text)


@pytest.fixture(scope="module")
def info_payload():
    """The INFO of PROTOCOL.md's example."""
    answers = Decoder().feed(b"".join(map(bytes.fromhex, examples(("device",)))))
    (frame,) = (frame for frame in answers if frame.kind == Kind.INFO)
    return frame.payload


@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_each_byte_of_an_info_means_something(info_payload, place, change):
    changed = bytearray(info_payload)
    changed[int(place * len(changed))] ^= change
    assert understood(parse_info, bytes(changed)) != parse_info(info_payload)


@given(st.binary(max_size=20))
def test_what_a_later_revision_appends_to_an_info_is_passed_over(info_payload, more):
    assert parse_info(info_payload + more) == parse_info(info_payload)


def test_a_truncated_info_is_refused(info_payload):
    for size in range(len(info_payload)):
        assert understood(parse_info, info_payload[:size]) is None, size
