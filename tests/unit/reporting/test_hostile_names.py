"""Names from strangers in every output: a network's, a class's, a runtime's, a device's."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qbench.artifacts import Artifact, ReplayContent
from qbench.cli.common import show_tables
from qbench.gating.evidence import ReplayView
from qbench.gating.formats import github_annotations, verdict_table, write_junit
from qbench.gating.rules import MinRobustAccuracy
from qbench.reporting.document import document, markdown
from qbench.reporting.page import page
from qbench.reporting.plots import disagreement_matrix, robustness_curves
from qbench.reporting.sections import Section
from qbench.reporting.tables import replay_tables
from tests.mutations.trees import HOSTILE

NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=60))


@pytest.fixture(scope="module")
def named(replayed):
    """Makes the replay's header anew, with a text for every name."""
    tree = json.loads(replayed.manifest.model_dump_json())["content"]

    def make(text: str) -> ReplayContent:
        raw = json.loads(json.dumps(tree))
        raw["network"] = raw["attack"] = raw["data"]["name"] = text
        raw["data"]["classes"] = [f"{i}{text}" for i in range(len(raw["data"]["classes"]))]
        for i, each in enumerate(raw["scores"]):
            old, each["runtime"]["name"] = each["runtime"]["name"], f"{i}{text}"
            each["runtime"]["version"] = text
            for pair in raw["disagreements"]:
                for end in ("first", "second"):
                    pair[end] = f"{i}{text}" if pair[end] == old else pair[end]
        return ReplayContent.model_validate(raw)

    return make


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=NAMES)
def test_a_terminal_shows_them_as_text(named, capsys, text):
    show_tables(replay_tables(named(text)))
    shown = capsys.readouterr().out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert not re.search(r"^\s*::", shown, re.MULTILINE)
    assert "##[" not in shown


def test_markup_is_not_taken_for_markup(named, capsys):
    show_tables(replay_tables(named("[bold red]x[/]")))
    assert "0[bold red]x[/]" in capsys.readouterr().out


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=NAMES)
def test_markdown_keeps_its_rows_and_columns(named, replayed, text):
    made = Artifact(replayed.path, replayed.manifest.model_copy(update={"content": named(text)}))
    lines = markdown(document([made]), ["x.svg"]).splitlines()
    columns = None
    for line in lines:
        if line.startswith("|"):
            bars = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))
            assert columns in (None, bars)
            columns = bars
        else:
            columns = None
            assert not line or line.startswith(("#", "- ", "!["))
    assert sum("](" in line for line in lines) == 1
    assert not re.search(r"(?<!\\)<", "\n".join(lines))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=NAMES)
def test_the_gate_says_them_to_machines(named, replayed, tmp_path, capsys, text):
    content = named(text)
    found = ReplayView(Artifact(replayed.path, replayed.manifest.model_copy(update={"content": content})))
    verdicts = list(MinRobustAccuracy(1.0, content.eps[:1]).verdicts(found))
    assert verdicts
    write_junit(verdicts, tmp_path / "gate.xml")
    cases = ElementTree.parse(tmp_path / "gate.xml").findall(".//testcase")
    assert len(cases) == len(verdicts)
    for line in github_annotations(verdicts):
        assert line.startswith("::error title=qbench ")
        assert line.count("\n") == 0
    show_tables([verdict_table(verdicts)])
    assert not re.search(r"^\s*::", capsys.readouterr().out, re.MULTILINE)


class Tags(HTMLParser):
    """Counts elements, and collects what leads elsewhere."""

    def __init__(self):
        super().__init__()
        self.tags, self.leads = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.leads += [
            value for name, value in attributes if name in ("href", "src") or name.startswith("on")
        ]


@pytest.mark.parametrize("text", HOSTILE)
def test_pictures_and_the_page_draw_them(named, text):
    content = named(text)
    plots = [robustness_curves(content, "curves"), disagreement_matrix(content, "matrix")]
    tables = list(replay_tables(content))
    html = page(
        f"Robustness of {content.network}", [Section("results", "Results", (*tables, *plots, content.attack))]
    )
    found = Tags()
    found.feed(html)
    assert found.tags.count("script") == 1  # the page's own
    assert all(lead.startswith(("#", "data:")) for lead in found.leads)
    assert "alert(1)" not in html or "&lt;script&gt;" in html
