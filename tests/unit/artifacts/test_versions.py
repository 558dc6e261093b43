"""After an upgrade, finished work is other work."""

import pytest

from qbench.artifacts import Artifact, Recipe, ReportContent, begin, versions
from qbench.errors import UserError


def make(out):
    with begin(out, Recipe("report", {}, {})) as draft:
        return draft.commit(ReportContent(replays=()))


def test_what_computed_it_is_recorded(tmp_path):
    found = make(tmp_path / "r").manifest.versions
    assert found["the stage report"] == "revision 1"
    assert "matplotlib" in found


def test_the_same_versions_find_it_again(tmp_path):
    make(tmp_path / "r")
    assert isinstance(begin(tmp_path / "r", Recipe("report", {}, {})), Artifact)


def test_a_stage_that_may_compute_otherwise_does_not(tmp_path, monkeypatch):
    make(tmp_path / "r")
    monkeypatch.setitem(versions._REVISIONS, "report", 2)
    with pytest.raises(UserError) as caught:
        begin(tmp_path / "r", Recipe("report", {}, {}))
    assert caught.value.cause == "it differs in the stage report (revision 1 then, revision 2 now)"
    assert "--force" in caught.value.hint


def test_an_upgraded_package_is_named(tmp_path, monkeypatch):
    made = make(tmp_path / "r")
    was = made.manifest.versions["matplotlib"]
    monkeypatch.setattr(versions, "package_version", lambda _: "99.0")
    with pytest.raises(UserError) as caught:
        begin(tmp_path / "r", Recipe("report", {}, {}))
    assert caught.value.cause == f"it differs in matplotlib ({was} then, 99.0 now)"


def test_half_done_work_of_other_versions_is_not_taken_up(tmp_path, monkeypatch):
    before = begin(tmp_path / "r", Recipe("report", {}, {})).path
    monkeypatch.setitem(versions._REVISIONS, "report", 2)
    assert begin(tmp_path / "r", Recipe("report", {}, {})).path != before


@pytest.mark.parametrize("kind", ["trained", "bundle", "advset", "replay", "report", "study"])
def test_every_kind_has_a_revision_and_packages_that_are_here(kind):
    found = versions.versions_of(kind)
    assert f"the stage {kind}" in found
    assert len(found) > 1
