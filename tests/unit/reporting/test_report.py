import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import qbench
from qbench.artifacts import DataInfo, load
from qbench.data import IMAGE, INT8_FEATURES
from qbench.errors import UserError
from qbench.reporting.cells import Table, budget_text, eps_text
from qbench.reporting.document import ReportDocument
from qbench.reporting.gallery import gallery
from qbench.reporting.plots import disagreement_matrix, robustness_curves
from qbench.reporting.summary import sentences, weakest_table
from qbench.reporting.tables import advset_tables, replay_tables
from qbench.stages.check import check
from qbench.statistics import proportion
from qbench.studies.content import AttackPoint
from qbench.studies.tables import attack_text


def test_budgets_are_written_as_people_write_them():
    assert eps_text(8 / 255, IMAGE) == "8/255"
    assert eps_text(0.5 / 255, IMAGE) == "0.5/255"
    assert eps_text(0.1, IMAGE) == "25.5/255"
    assert eps_text(12, IMAGE) == "12"
    assert eps_text(2.0, INT8_FEATURES) == "2"


@pytest.mark.parametrize(
    ("eps", "norm", "text"),
    [
        (1.0, "linf", "unbounded"),
        (254 / 255, "linf", "254/255"),
        (8.0, "l2", "unbounded"),
        (1.5, "l2", "1.5"),
        (64.0, "l1", "unbounded"),
        (8.0, "l1", "8"),
    ],
)
def test_a_budget_that_reaches_the_whole_domain_is_unbounded(eps, norm, text):
    data = DataInfo(name="d", fingerprint="f", domain=IMAGE, classes=("a", "b"), input_shape=(8, 8, 1))
    assert budget_text(eps, data, norm) == text
    point = AttackPoint(network="n", attack="cw", norm=norm, surrogate="float", eps=eps)
    assert attack_text(point, data) == f"cw {norm} {text}"


def test_an_attack_without_a_budget_is_unbounded_wherever_it_is_shown(bundle, tmp_path):
    attacked = qbench.attack(
        bundle.path, "digits", tmp_path / "advset", attack="deepfool", count=24, checks=False
    )
    made = qbench.replay(bundle.path, attacked.path, ["tflite", "tflite-ref"], tmp_path / "replay")
    content = made.content
    tables = (*advset_tables(attacked.content), *replay_tables(content), weakest_table(content))
    plots = (robustness_curves(content, "a"), disagreement_matrix(content, "b"))
    shown = [table.markdown() for table in tables] + [plot.inline() for plot in plots]
    shown += [*sentences(content), *(each.eps for each in gallery(made, attacked).examples)]
    shown += [each.inputs for each in check(made.path, max_disagreement=0.5, at=[8.0]).verdicts]
    text = "\n".join(shown)
    assert "2040" not in text
    assert text.count("unbounded") >= len(tables) + len(plots) - 1
    assert "deepfool at an unbounded budget" in text
    with pytest.raises(UserError) as caught:
        check(made.path, min_robust_accuracy=0.5, at=[4.0])
    assert caught.value.cause == "it has 8", "a number, which can be typed"


def test_markdown_tables_put_figures_to_the_right():
    text = Table("T", ("name", "figure"), (("a", "1"),)).markdown()
    assert text.splitlines() == ["### T", "", "| name | figure |", "| --- | ---: |", "| a | 1 |"]


def test_wilson_intervals_against_newcombes_worked_examples():
    """Newcombe, Statistics in Medicine 17, 1998, table I: 81/263, 15/148, 0/20, 1/29."""
    for hits, total, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        share = proportion(np.arange(total) < hits)
        assert (round(share.low, 4), round(share.high, 4)) == (low, high)
    assert proportion(np.zeros(0, bool)).value is None


def test_the_report_says_what_the_replay_says(replayed, tmp_path):
    made = qbench.report([replayed.path], tmp_path / "report")
    assert set(made.manifest.files) == {
        *("report.md", "report.json", "report.schema.json", "robustness-0.svg"),
    }
    document = ReportDocument.model_validate_json((made.path / "report.json").read_text())
    assert document.replays[0].results == replayed.content
    text = (made.path / "report.md").read_text()
    for table in replay_tables(replayed.content):
        assert table.markdown() in text
    assert "| tflite-ref | 16/255 |" in text
    assert "reference kernels" in text


def test_the_picture_is_an_svg_with_every_runtime(replayed, tmp_path):
    made = qbench.report([replayed.path], tmp_path / "report")
    picture = (made.path / "robustness-0.svg").read_text()
    assert picture.startswith("<?xml")
    assert picture.count("<!-- ") > 0
    for name in ("tflite-ref", "onnx", "16/255"):
        assert f"<!-- {name} -->" in picture


def test_the_published_schema_accepts_the_report(replayed, tmp_path):
    made = qbench.report([replayed.path], tmp_path / "report")
    schema = json.loads((made.path / "report.schema.json").read_text())
    report = json.loads((made.path / "report.json").read_text())
    jsonschema.validate(report, schema)
    del report["replays"][0]["results"]["scores"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, schema)


def test_what_cannot_be_reported(replayed, advset, tmp_path):
    with pytest.raises(UserError, match="given twice"):
        qbench.report([replayed.path, replayed.path], tmp_path / "report")
    with pytest.raises(UserError, match="nothing to report"):
        qbench.report([], tmp_path / "report")
    with pytest.raises(UserError, match="holds a qbench advset"):
        qbench.report([advset.path], tmp_path / "report")
    assert not Path(tmp_path / "report").exists()


def test_disagreement_tables_have_a_row_a_pair(replayed):
    content = load(replayed.path, "replay").content
    table = replay_tables(content)[2]
    assert len(table.rows) == 6
    assert table.rows[0][:2] == ("tflite", "tflite-ref")
    assert table.columns[2:5] == ("clean", "4/255", "16/255")
