import numpy as np
import pytest

from qbench.artifacts import RecordFile

ROWS = np.arange(24, dtype=np.int8).reshape(6, 2, 2)


def test_the_finished_file_is_a_plain_npy(tmp_path):
    file = RecordFile(tmp_path / "a.npy", ROWS.shape, "int8")
    file.append(ROWS[:4])
    assert not file.complete
    file.append(ROWS[4:])
    assert file.complete
    assert np.array_equal(np.load(tmp_path / "a.npy"), ROWS)


def test_reopening_drops_a_torn_row_and_goes_on(tmp_path):
    path = tmp_path / "a.npy"
    RecordFile(path, ROWS.shape, "int8").append(ROWS[:4])
    path.write_bytes(path.read_bytes()[:-1])
    file = RecordFile(path, ROWS.shape, "int8")
    assert file.done == 3
    assert np.array_equal(file.read(), ROWS[:3])
    file.append(ROWS[3:])
    assert np.array_equal(np.load(path), ROWS)


def test_a_torn_header_starts_anew(tmp_path):
    path = tmp_path / "a.npy"
    RecordFile(path, ROWS.shape, "int8").append(ROWS)
    path.write_bytes(path.read_bytes()[:20])
    assert RecordFile(path, ROWS.shape, "int8").done == 0


def test_rows_that_do_not_fit_are_refused(tmp_path):
    file = RecordFile(tmp_path / "a.npy", ROWS.shape, "int8")
    with pytest.raises(ValueError, match="do not fit"):
        file.append(ROWS[:, :1])
    file.append(ROWS)
    with pytest.raises(ValueError, match="do not fit"):
        file.append(ROWS[:1])
