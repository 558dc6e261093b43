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

from qbench.link.codec import MAX_PAYLOAD, OVERHEAD, Decoder, Frame, FrameType, decode, encode, wire_bytes
from qbench.link.messages import (
    ErrorCode,
    Malformed,
    parse_error,
    parse_info,
    parse_pong,
    parse_result,
    tensor_bytes,
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
    errors = [parse_error(frame.payload) for frame in answers if frame.kind == FrameType.ERROR]
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
    (info,) = (parse_info(frame.payload) for frame in answers if frame.kind == FrameType.INFO)
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
    (boot,) = (parse_pong(frame.payload) for frame in answers if frame.kind == FrameType.PONG)
    assert boot == info.boot
    result = next(parse_result(frame.payload) for frame in answers if frame.kind == FrameType.RESULT)
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
    frame = Frame(FrameType.PONG, 1, 2, b"1234")
    assert decoder.feed(noise + b"\0" + encode(frame)) == [frame]


def test_noise_without_end_takes_no_memory():
    decoder = Decoder(limit=1000)
    for _ in range(100):
        assert decoder.feed(b"\x55" * 100) == []
    frame = Frame(FrameType.PONG, 1, 2)
    assert decoder.feed(b"\0" + encode(frame)) == [frame]
    assert decoder.damaged == 1


@pytest.mark.parametrize("length", [0, 1, 9, 11])
def test_a_length_that_lies_is_dropped(length):
    body = struct.pack("<IHI", FrameType.INFER | length << 8, 1, 2) + bytes(10)
    assert decode(cobs.encode(body + struct.pack("<I", zlib.crc32(body)))) is None


def test_a_payload_that_fits_no_frame_is_refused():
    with pytest.raises(ValueError, match="at most"):
        encode(Frame(FrameType.INFER, 1, 1, bytes(MAX_PAYLOAD + 1)))


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
    (frame,) = (frame for frame in answers if frame.kind == FrameType.INFO)
    return frame.payload


@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_each_byte_of_an_info_means_something(info_payload, place, change):
    changed = bytearray(info_payload)
    changed[int(place * len(changed))] ^= change
    assert understood(parse_info, bytes(changed)) != parse_info(info_payload)


@pytest.mark.parametrize("scale", [np.nan, np.inf, -0.5])
def test_a_scale_that_no_tensor_has_is_refused(info_payload, scale):
    usual = described(9, (1, 1), 0.25, 3)
    assert understood(parse_info, info_with(info_payload, described(9, (1, 1), scale, 3), usual)) is None
    assert understood(parse_info, info_with(info_payload, usual, described(9, (1, 1), scale, 3))) is None


@given(st.binary(max_size=20))
def test_what_a_later_revision_appends_to_an_info_is_passed_over(info_payload, more):
    assert parse_info(info_payload + more) == parse_info(info_payload)


def test_a_truncated_info_is_refused(info_payload):
    for size in range(len(info_payload)):
        assert understood(parse_info, info_payload[:size]) is None, size


def described(code, shape, scale, zero_point):
    """A tensor as an INFO describes it."""
    return struct.pack(f"<BB{len(shape)}Ifi", code, len(shape), *shape, scale, zero_point)


def info_with(payload, first, second):
    """An INFO whose tensors are replaced: each is of rank 2 in the example."""
    start = struct.calcsize("<BIHBI32sIII")
    return payload[:start] + first + second + payload[start + 2 * len(described(9, (1, 1), 1, 0)) :]


@pytest.mark.parametrize(
    ("code", "shape", "scale", "zero_point", "spec", "size"),
    [
        (9, (1, 8), 0.5, -3, ("int8", (8,), 0.5, -3), 8),
        (3, (1, 4, 2), 0.25, 7, ("uint8", (4, 2), 0.25, 7), 8),
        (0, (1, 4, 2), 0.0, 7, ("float32", (4, 2), None, None), 32),
        (9, (4, 2), 2.0, 0, ("int8", (4, 2), 2.0, 0), 8),
        (0, (1,), 0.0, 0, ("float32", (), None, None), 4),
        (0, (), 0.0, 0, ("float32", (), None, None), 4),
        (9, (1, 1 << 16, 1 << 16), 1.0, 0, ("int8", (1 << 16, 1 << 16), 1.0, 0), 1 << 32),
    ],
)
def test_a_tensor_is_told_without_its_batch(info_payload, code, shape, scale, zero_point, spec, size):
    one = described(9, (1, 2), 1.0, 0)
    told = described(code, shape, scale, zero_point)
    for found, name in (
        (parse_info(info_with(info_payload, told, one)).input, "input"),
        (parse_info(info_with(info_payload, one, told)).output, "output"),
    ):
        assert found.name == name
        assert (found.dtype, found.shape, found.scale, found.zero_point) == spec
        assert (tensor_bytes(found), type(tensor_bytes(found))) == (size, int)


def refusal(payload):
    with pytest.raises(Malformed) as caught:
        parse_info(payload)
    return str(caught.value)


def test_what_no_version_of_the_protocol_says_is_refused_by_name(info_payload):
    one, other = described(9, (1, 2), 1.0, 0), described(2, (1, 2), 1.0, 0)
    assert refusal(info_with(info_payload, other, one)) == "the input tensor has the unknown type 2"
    assert refusal(info_with(info_payload, one, other)) == "the output tensor has the unknown type 2"
    assert refusal(b"\2" + info_payload[1:]) == "the device speaks protocol version 2, this qbench 1"
    assert refusal(info_payload[:-1]) == "the payload ends early"
    no_window = info_payload[:5] + bytes(2) + info_payload[7:]
    assert refusal(no_window) == "counter kind 1 or window 0 makes no sense"
    no_counter = info_payload[:7] + b"\4" + info_payload[8:]
    assert refusal(no_counter) == "counter kind 4 or window 17 makes no sense"


@pytest.mark.parametrize("window", [1, 0xFFFF])
def test_every_window_but_none_is_taken(info_payload, window):
    payload = info_payload[:5] + struct.pack("<H", window) + info_payload[7:]
    assert parse_info(payload).window == window


@pytest.mark.parametrize(
    ("number", "counter"), [(0, "none"), (1, "cycles"), (2, "instructions"), (3, "nanoseconds")]
)
def test_counters_by_number(info_payload, number, counter):
    assert parse_info(info_payload[:7] + bytes([number]) + info_payload[8:]).counter == counter


def test_what_a_device_says_of_itself_field_by_field(info_payload):
    info = parse_info(info_payload)
    assert (info.protocol, info.boot) == (1, 0xB007B007)
    fault = parse_info(info_payload[:-1] + b"\4lame").fault
    assert fault == "lame"


def test_texts_that_are_no_text_are_told_as_they_can_be():
    found = parse_error(struct.pack("<IB", 7, 6) + b"\5ab\xff\nc")
    assert found.text == "ab\ufffd c"
