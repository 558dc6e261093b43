import json
import os
import subprocess
import sys

import numpy as np
import pytest

from qbench.artifacts import Artifact, Recipe, RecordFile, ReportContent, begin, load
from qbench.errors import EnvironmentLacks, InternalFault, UserError

CONTENT = ReportContent(replays=())


def recipe(**settings):
    return Recipe("report", settings=settings, inputs={"data": "ab"}, seed=1)


def make(out, **settings):
    with begin(out, recipe(**settings)) as draft:
        (draft.path / "sub").mkdir()
        (draft.path / "sub" / "a.txt").write_text("hello")
        return draft.commit(CONTENT)


def test_a_committed_folder_says_what_it_holds(tmp_path):
    made = make(tmp_path / "r", steps=3)
    again = load(tmp_path / "r", "report")
    assert again.manifest == made.manifest
    assert again.manifest.settings == {"steps": 3}
    assert again.manifest.seed == 1
    assert list(again.manifest.files) == ["sub/a.txt"]
    assert "numpy" in again.manifest.environment.packages
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_same_recipe_finds_finished_work_and_same_bytes(tmp_path):
    first = make(tmp_path / "r", steps=3)
    found = begin(tmp_path / "r", recipe(steps=3))
    assert isinstance(found, Artifact)
    assert found.reused
    second = make(tmp_path / "other", steps=3)
    assert (first.path / "manifest.json").read_bytes() == (second.path / "manifest.json").read_bytes()


def test_another_recipe_is_refused_with_what_differs(tmp_path):
    make(tmp_path / "r", steps=3)
    with pytest.raises(UserError) as caught:
        begin(tmp_path / "r", recipe(steps=4))
    assert caught.value.cause == "it differs in steps"
    assert "--force" in caught.value.hint


def test_force_replaces_ours_and_moves_others_aside(tmp_path):
    make(tmp_path / "r", steps=3)
    with begin(tmp_path / "r", recipe(steps=4), force=True) as draft:
        draft.commit(CONTENT)
    assert load(tmp_path / "r").manifest.settings == {"steps": 4}

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="not a qbench folder"):
        begin(tmp_path / "mine", recipe())
    with begin(tmp_path / "mine", recipe(), force=True) as draft:
        draft.commit(CONTENT)
    assert (tmp_path / "mine.old-1" / "thesis.txt").read_text() == "years of work"


def test_interrupted_work_is_found_again_by_the_same_recipe_only(tmp_path):
    with pytest.raises(KeyboardInterrupt), begin(tmp_path / "r", recipe(steps=3)) as draft:
        (draft.path / "half").write_text("done")
        raise KeyboardInterrupt
    assert not (tmp_path / "r").exists()
    with begin(tmp_path / "r", recipe(steps=4)) as other:
        assert not other.resumed
    with begin(tmp_path / "r", recipe(steps=3)) as draft:
        assert draft.resumed
        assert (draft.path / "half").read_text() == "done"


@pytest.mark.parametrize("damage", ["change", "truncate", "remove"])
def test_a_damaged_file_is_named(tmp_path, damage):
    file = make(tmp_path / "r").path / "sub" / "a.txt"
    if damage == "remove":
        file.unlink()
    else:
        file.write_text("hellO" if damage == "change" else "hell")
    with pytest.raises(UserError, match=r"a\.txt is not the file"):
        load(tmp_path / "r")


def test_headers_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="is not a qbench advset folder"):
        load(tmp_path, "advset")
    header = make(tmp_path / "r").path / "manifest.json"
    with pytest.raises(UserError, match="holds a qbench report; wanted here: bundle"):
        load(tmp_path / "r", "bundle")
    raw = json.loads(header.read_text())
    header.write_text(json.dumps({**raw, "schema_version": 99}))
    with pytest.raises(UserError, match="schema version 99"):
        load(tmp_path / "r")
    header.write_text(json.dumps({**raw, "surprise": 1}))
    with pytest.raises(UserError, match="is damaged"):
        load(tmp_path / "r")
    header.write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        load(tmp_path / "r")


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "r").write_text("x")
    with pytest.raises(UserError, match="not a qbench folder"):
        begin(tmp_path / "r", recipe())
    with pytest.raises(UserError, match="cannot write in"), begin(tmp_path / "r" / "below", recipe()):
        pass


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_said_and_nothing_is_lost(tiny_disk):
    with (
        pytest.raises(EnvironmentLacks, match="is full") as caught,
        begin(tiny_disk / "r", recipe()) as draft,
    ):
        (draft.path / "first").write_bytes(b"1" * 1000)
        (draft.path / "second").write_bytes(b"2" * 100_000)
    assert caught.value.exit_code == 3
    assert (draft.path / "first").read_bytes() == b"1" * 1000
    assert not (tiny_disk / "r").exists()


WRITER = """
import sys, time
from pathlib import Path
from qbench.artifacts import Recipe, ReportContent, begin
with begin(Path(sys.argv[1]), Recipe("report", settings={"steps": 1}, inputs={}, seed=1)) as draft:
    print("writing", flush=True)
    sys.stdin.readline()
    draft.commit(ReportContent(replays=()))
"""


def test_a_second_process_is_told_who_writes_the_folder(tmp_path):
    out = tmp_path / "r"
    command = [sys.executable, "-c", WRITER, str(out)]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert first.stdout.readline() == "writing\n"
    wanted = Recipe("report", settings={"steps": 1}, inputs={}, seed=1)
    with pytest.raises(EnvironmentLacks, match="another process is writing") as caught, begin(out, wanted):
        pass
    assert f"process {first.pid} on" in caught.value.cause
    first.communicate("\n")
    assert first.returncode == 0
    assert begin(out, wanted).reused
    assert [path.name for path in out.iterdir()] == ["manifest.json"]


def test_what_another_command_finished_meanwhile_is_not_replaced(tmp_path):
    with begin(tmp_path / "r", recipe(steps=3)) as draft:
        make(tmp_path / "r", steps=4)
        with pytest.raises(UserError, match="written by another command meanwhile"):
            draft.commit(CONTENT)
    assert load(tmp_path / "r").manifest.settings == {"steps": 4}


def test_an_array_of_another_length_than_its_header_says_is_no_result(tmp_path):
    with begin(tmp_path / "r", recipe(steps=3)) as draft:
        np.save(draft.path / "a.npy", np.arange(100))
        with (draft.path / "a.npy").open("ab") as file:
            file.write(bytes(8))
        with pytest.raises(InternalFault, match="where its header says"):
            draft.commit(CONTENT)


def test_rows_are_not_appended_behind_those_of_another_process(tmp_path):
    first, second = (RecordFile(tmp_path / "rows.npy", (4, 2), "int8") for _ in range(2))
    first.append(np.zeros((1, 2), np.int8))
    with pytest.raises(InternalFault, match="where this process"):
        second.append(np.ones((1, 2), np.int8))
