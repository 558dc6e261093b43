"""The window's bookkeeping against a model of a lossy line that keeps its order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qbench.link.flight import Answer, Flight


def fill(flight, window, sequence):
    """Send until the window is full; the transmissions as (sequence, input)."""
    sent = []
    while flight.open < window and (taken := flight.take(sequence + 1)) is not None:
        sequence += 1
        sent.append((sequence, taken[0]))
    return sent


def test_an_answer_writes_off_what_was_sent_before_it():
    flight = Flight([b"a", b"b", b"c"])
    fill(flight, 3, 0)
    assert flight.answer(2, b"B", 0)
    assert flight.open == 1
    assert list(flight.ready()) == []
    assert flight.take(4) == (b"a", True)
    assert flight.take(5) is None
    assert flight.answer(4, b"A", 0)
    assert [answer.output for answer in flight.ready()] == [b"A", b"B"]


def test_a_late_answer_to_an_earlier_transmission_counts_once():
    flight = Flight([b"a", b"b"])
    fill(flight, 2, 0)
    flight.lose_oldest()
    assert flight.take(3) == (b"a", True)
    assert flight.answer(1, b"A", 0)
    assert not flight.answer(3, b"A", 0)
    assert not flight.answer(1, b"A", 0)
    assert list(flight.ready()) == [Answer(0, b"A", 0)]


def test_an_answer_to_nothing_is_refused():
    flight = Flight([b"a"])
    fill(flight, 1, 0)
    assert not flight.answer(7, b"x", 0)
    assert not flight.done


def test_what_is_on_its_way_again_is_not_sent_a_third_time():
    flight = Flight([b"a", b"b"])
    fill(flight, 2, 0)
    flight.lose_all()
    assert flight.take(3) == (b"a", True)
    assert flight.take(4) == (b"b", True)
    assert flight.take(5) is None
    assert flight.open == 2


def test_what_is_answered_late_is_not_sent_again():
    flight = Flight([b"a", b"b"])
    fill(flight, 2, 0)
    flight.lose_all()
    assert flight.answer(1, b"A", 0)
    assert flight.take(3) == (b"b", True)
    assert flight.take(4) is None
    assert flight.open == 1


def test_settling_keeps_the_transmission_itself_and_those_behind_it():
    flight = Flight([b"a", b"b", b"c"])
    fill(flight, 3, 0)
    flight.settle(2)
    assert flight.open == 2
    assert flight.take(4) == (b"a", True)
    assert flight.take(5) is None


def test_a_transmission_is_awaited_until_its_input_is_answered():
    flight = Flight([b"a"])
    assert not flight.awaits(1)
    fill(flight, 1, 0)
    flight.lose_all()
    assert flight.take(2) == (b"a", True)
    assert flight.awaits(1)
    assert flight.awaits(2)
    assert flight.answer(1, b"A", 0)
    assert not flight.awaits(1)
    assert not flight.awaits(2)


def test_a_flight_is_done_when_every_answer_is_handed_out():
    flight = Flight([b"a"])
    assert flight.done is False
    assert flight.take(1) == (b"a", False)
    assert flight.take(2) is None
    assert flight.done is False
    assert flight.answer(1, b"A", 3)
    assert flight.done is False
    assert list(flight.ready()) == [Answer(0, b"A", 3)]
    assert flight.done is True


@given(
    count=st.integers(0, 30),
    window=st.integers(1, 6),
    fates=st.lists(
        st.sampled_from(["answer", "lose input", "lose answer", "damage", "repeat"]), max_size=300
    ),
)
def test_every_input_is_answered_once_in_order_whatever_is_lost(count, window, fates):
    inputs = [bytes([i]) for i in range(count)]
    flight, sequence, given_out = Flight(inputs), 0, []
    line, fate = [], iter(fates)
    for _ in range(2 * (count + len(fates)) + 2):  # each answers, loses, or sends again what was lost
        if flight.done:
            break
        new = fill(flight, window, sequence)
        sequence += len(new)
        line += new
        assert flight.open <= window
        if flight.done:
            break
        if not line:
            flight.lose_all()
            continue
        number, data = line.pop(0)
        what = next(fate, "answer")
        if what == "damage":
            flight.lose_oldest()
        elif what in ("answer", "repeat"):
            flight.answer(number, data * 2, number)
            if what == "repeat":
                assert not flight.answer(number, b"wrong", number)
        given_out += flight.ready()
    assert flight.done
    assert [(answer.index, answer.output) for answer in given_out] == [
        (i, x * 2) for i, x in enumerate(inputs)
    ]
