"""Answers kept as they come: what an interrupted replay keeps, and where it goes on."""

from __future__ import annotations

import numpy as np
import pytest

from qbench.artifacts import TensorSpec
from qbench.replaying.journal import Journal
from qbench.runtimes import Runtime
from qbench.runtimes.base import Computed

ROWS, CHUNK = 11, 4
INPUTS = np.arange(ROWS, dtype=np.float32).reshape(ROWS, 1)
LAST_CHUNK = ROWS - ROWS % CHUNK


class Batched(Runtime):
    """A runtime whose answers depend on the batch, as those of a float32 network may in their last bits."""

    name = "batched"
    kernels = "test"

    def invoke(self, batch):
        """Each input, and the sum of those that are computed with it."""
        return np.hstack([batch, np.full_like(batch, batch.sum())])


class RowByRow(Batched):
    name = "row by row"
    row_by_row = True

    def invoke(self, batch):
        return np.hstack([batch, batch])


class Counting(Batched):
    """As `Batched`; what an inference costs depends on the batch too."""

    counter = "cycles"

    def compute(self, batches):
        for batch in batches:
            yield Computed(self.invoke(batch), np.full(len(batch), len(batch), np.uint64))


def opened(kind, folder):
    """The journal of a runtime's answers, and the runtime."""
    runtime = kind(
        folder / "model",
        TensorSpec(name="x", shape=(1,), dtype="float32"),
        TensorSpec(name="y", shape=(2,), dtype="float32"),
    )
    return Journal(folder, runtime, "clean", ROWS, chunk=CHUNK), runtime


def go_on(kind, folder):
    """Compute what a journal lacks, in a replay's chunks; the inputs that it had."""
    journal, runtime = opened(kind, folder)
    kept = journal.done
    starts = range(kept - kept % CHUNK, ROWS, CHUNK)
    batches = (INPUTS[max(start, kept) : start + CHUNK] for start in starts)
    for piece in runtime.compute(batches):
        journal.append(piece)
    assert journal.complete
    return kept


def files(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*.npy")}


def cut(folder, rows, *, name="clean", row_bytes=8):
    """Leave a journal as a killed process may: after so many rows and half a one."""
    (path,) = folder.rglob(f"{name}.npy")
    with path.open("r+b") as file:
        file.truncate(
            path.stat().st_size - (ROWS - rows) * row_bytes + (row_bytes // 2 if rows < ROWS else 0)
        )


@pytest.mark.parametrize("rows", range(ROWS + 1))
@pytest.mark.parametrize("kind", [Batched, Counting])
def test_a_batched_runtime_goes_on_at_a_whole_chunk_to_the_same_bytes(tmp_path, kind, rows):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert go_on(kind, whole) == go_on(kind, broken) == 0
    cut(broken, rows)
    assert go_on(kind, broken) == (ROWS if rows == ROWS else rows - rows % CHUNK)
    assert files(broken) == files(whole)


@pytest.mark.parametrize("rows", range(ROWS + 1))
def test_a_runtime_that_goes_row_by_row_keeps_every_row(tmp_path, rows):
    go_on(RowByRow, tmp_path)
    before = files(tmp_path)
    cut(tmp_path, rows)
    assert go_on(RowByRow, tmp_path) == rows
    assert files(tmp_path) == before


@pytest.mark.parametrize("rows", [0, 5, LAST_CHUNK, ROWS])
def test_counts_that_end_early_take_their_outputs_along(tmp_path, rows):
    go_on(Counting, tmp_path)
    before = files(tmp_path)
    cut(tmp_path, rows, name="clean-counts")
    assert go_on(Counting, tmp_path) == (ROWS if rows == ROWS else rows - rows % CHUNK)
    assert files(tmp_path) == before
