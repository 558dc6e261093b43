import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from conftest import bytes_of

import qbench
from qbench.artifacts import Artifact
from qbench.data import IMAGE, INT8_FEATURES
from qbench.errors import UserError
from qbench.reporting.gallery import _picture, _scale, gallery
from qbench.reporting.page import page
from qbench.reporting.plots import robustness_curves
from qbench.reporting.sections import Replayed, disagreement
from qbench.reporting.summary import sentences, weakest_table
from qbench.statistics import proportion
from qbench.studies import find_analysis


@pytest.fixture(scope="module")
def made(replayed, tmp_path_factory):
    """A report with everything."""
    out = tmp_path_factory.mktemp("made") / "report"
    return qbench.report([replayed.path], out, html=True, figures=["svg", "pdf", "png"])


def test_the_same_command_writes_the_same_bytes(made, replayed, tmp_path):
    again = qbench.report([replayed.path], tmp_path / "again", html=True, figures=["svg", "pdf", "png"])
    ours, theirs = bytes_of(made.path), bytes_of(again.path)
    assert {
        f"figures/{name}-0.{suffix}"
        for name in ("robustness", "disagreement")
        for suffix in ("svg", "pdf", "png")
    } < set(ours)
    assert ours == theirs
    assert b"CreationDate" not in ours["figures/robustness-0.pdf"]
    assert qbench.report([replayed.path], tmp_path / "again", html=True, figures=["svg", "pdf", "png"]).reused


def test_the_page_is_small_and_names_no_other_file(made):
    html = (made.path / "report.html").read_text()
    assert len(html) < 400_000
    outside = re.findall(r'(?:src|href)="(?!#|data:)([^"]*)"', html)
    assert outside == []
    assert "url(http" not in html
    assert "default-src 'none'" in html


def test_an_inline_picture_takes_the_pages_colour(replayed):
    svg = robustness_curves(replayed.content, "mine").inline()
    assert svg.startswith("<svg ")
    assert 'aria-labelledby="mine-caption"' in svg
    assert "currentColor" in svg
    assert "#000000" not in svg
    ids, used = (
        set(re.findall(r'id="([^"]+)"', svg)),
        set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg)),
    )
    assert all(each.startswith("mine-") for each in ids)
    assert {a or b for a, b in used} <= ids
    assert "<text" in svg


def test_runtimes_with_the_same_figures_share_a_curve(replayed):
    scores = replayed.content.scores
    twin = scores[0].model_copy(update={"runtime": scores[0].runtime.model_copy(update={"name": "twin"})})
    content = replayed.content.model_copy(update={"scores": (scores[0], twin)})
    axes = robustness_curves(content, "x").draw().axes[0]
    assert [each.get_text() for each in axes.get_legend().get_texts()] == [f"{scores[0].runtime.name}\ntwin"]
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    ends = {
        round(100 * getattr(at.robust_accuracy, end), 6) for at in scores[0].by_eps for end in ("low", "high")
    }
    assert ends <= {round(float(each), 6) for each in band}


@pytest.mark.parametrize(
    ("labels", "codes", "said"),
    [
        (1, 1, "another function"),
        (0, 1, "not always the same output codes"),
        (0, 0, "and the same output codes"),
    ],
)
def test_runtimes_that_agree_are_not_said_to_differ(replayed, labels, codes, said):
    pairs = tuple(
        pair.model_copy(
            update={"labels": proportion(np.arange(8) < labels), "vectors": proportion(np.arange(8) < codes)}
        )
        for pair in replayed.content.disagreements
    )
    content = replayed.content.model_copy(update={"disagreements": pairs})
    manifest = replayed.manifest.model_copy(update={"content": content})
    found = disagreement([Replayed("one", replace(replayed, manifest=manifest), None)])
    assert said in found.blocks[0]


def test_the_verdict_claims_what_the_intervals_allow(replayed):
    def content(first, second):
        ends = [proportion(np.arange(100) < hits) for hits in (first, second)]
        scores = replayed.content.scores[0]
        by_eps = tuple(
            at.model_copy(update={"robust_accuracy": end})
            for at, end in zip(scores.by_eps, ends, strict=True)
        )
        update = {"scores": (scores.model_copy(update={"by_eps": by_eps}),), "disagreements": ()}
        return replayed.content.model_copy(update=update)

    def said(*hits):
        return sentences(content(*hits))[0]

    assert "up to 4/255 (90.0 % [82.6, 94.5]) tflite gets more than half" in said(90, 20)
    assert "from 16/255 (20.0 % [13.3, 28.9]) on it gets fewer than half" in said(90, 20)
    assert "up to 16/255" in said(90, 80)
    assert "fewer" not in said(90, 55)
    assert "up to 4/255" in said(90, 55)
    assert "from 4/255 (20.0 % [13.3, 28.9]) on tflite gets fewer" in said(20, 10)
    assert "at no budget is it decided" in said(55, 45)


def test_the_weakest_runtime_is_an_integer_one(replayed):
    rows = weakest_table(replayed.content).rows
    judged = [each for each in replayed.content.scores if each.runtime.name != "float"]
    least = min(each.by_eps[1].robust_accuracy.value for each in judged)
    assert [row[0] for row in rows] == ["clean", "4/255", "16/255"]
    assert rows[2][2].startswith(f"{100 * least:.1f} [")


def test_examples_are_inputs_that_fool_a_runtime(replayed, advset):
    found = gallery(replayed, advset).examples
    assert {each.eps for each in found} <= {"4/255", "16/255"}
    assert len(found) > 1
    truth = np.load(advset.path / "labels.npy")
    for each in found:
        assert each.truth == str(truth[each.index])
        wrong = [answer for answer in each.answers if answer.clean == each.truth != answer.adversarial]
        assert wrong
        assert not any(answer.right for answer in wrong)
        assert [answer.runtime for answer in each.answers] == ["tflite", "tflite-ref", "onnx", "float"]


def test_perturbations_are_scaled_by_round_factors_into_the_domain():
    assert _scale(np.full((2, 2, 1), 4 / 255, np.float32), IMAGE) == 20
    assert _scale(np.zeros((2, 2, 1), np.float32), IMAGE) == 1
    assert _scale(np.full((2, 2, 1), 0.9, np.float32), IMAGE) == 0.5
    assert _scale(np.full((49, 10, 1), 4.0, np.float32), INT8_FEATURES) == 20


def test_what_is_no_picture_is_not_drawn():
    assert _picture(np.zeros(10), IMAGE) is None
    assert _picture(np.zeros((4, 4, 2)), IMAGE) is None
    assert _picture(np.zeros((4, 4, 3)), IMAGE).startswith("data:image/png;base64,")


def test_an_advset_is_found_by_its_hash_or_said_to_be_gone(replayed, advset, tmp_path):
    alone = shutil.copytree(replayed.path, tmp_path / "alone" / "replay")
    gone = qbench.report([alone], tmp_path / "gone", html=True)
    text = (gone.path / "report.html").read_text()
    assert "were not found beside the replay" in text
    assert "<article" not in text
    elsewhere = shutil.copytree(advset.path, tmp_path / "elsewhere" / "renamed")
    found = qbench.report([alone], tmp_path / "found", html=True, advsets=[elsewhere])
    assert "<article" in (found.path / "report.html").read_text()
    wrong = qbench.report([alone], tmp_path / "wrong", html=True, advsets=[alone])
    assert "were not found" in (wrong.path / "report.html").read_text()


def other(replay, folder, change):
    """A copy of a replay with another header, and so another key."""
    copy = shutil.copytree(replay.path, folder)
    header = json.loads((copy / "manifest.json").read_text())
    change(header)
    (copy / "manifest.json").write_text(json.dumps({**header, "key": folder.name}))
    return copy


def test_different_networks_or_data_are_not_mixed_unnoticed(replayed, tmp_path):
    def of_other_data(header):
        header["content"]["data"]["fingerprint"] = "f" * 64

    bundle = other(replayed, tmp_path / "a", lambda header: header["inputs"].update(bundle="b" * 64))
    data = other(replayed, tmp_path / "b", of_other_data)
    for path, what in ((bundle, "networks"), (data, "data")):
        with pytest.raises(UserError, match=f"different {what}") as caught:
            qbench.report([replayed.path, path], tmp_path / "out", html=True)
        assert "--compare" in caught.value.hint
    made = qbench.report([replayed.path, bundle, data], tmp_path / "out", html=True, compare=True)
    text = (made.path / "report.html").read_text()
    assert "(bundle bbbbbbbbbbbb) on digits" in text
    assert "on digits (ffffffffffff)" in text


def test_studies_come_before_the_examples(bundle, advset, replayed, tmp_path):
    direct = find_analysis("direct")([bundle.path, advset.path], tmp_path / "direct")
    transfer = find_analysis("transfer")([bundle.path, advset.path], tmp_path / "again")
    made = qbench.report(
        [replayed.path],
        tmp_path / "out",
        html=True,
        figures=["svg"],
        studies=[direct.path, transfer.path],
    )
    assert made.manifest.inputs["study-direct"] == direct.manifest.digest
    html = (made.path / "report.html").read_text()
    order = ("disagreement", "study-direct", "study-again", "examples")
    places = [html.index(f'id="{anchor}"') for anchor in order]
    assert places == sorted(places)
    assert "Transfer: again" in html
    assert "Direct attacks, with 95 % intervals" in html
    assert {"study-direct.svg", "study-again.svg"} <= {
        each.name for each in (made.path / "figures").iterdir()
    }


def test_studies_in_folders_of_one_name_are_told_apart(bundle, advset, replayed, tmp_path):
    analyses = ("direct", "transfer")
    made = [find_analysis(each)([bundle.path, advset.path], tmp_path / each / "study") for each in analyses]
    report = qbench.report([replayed.path], tmp_path / "out", html=True, studies=[each.path for each in made])
    inputs = report.manifest.inputs
    assert [inputs[f"study-study-{i}"] for i in (1, 2)] == [each.manifest.digest for each in made]
    html = (report.path / "report.html").read_text()
    assert "Direct attacks: study-1" in html
    assert "Transfer: study-2" in html


def test_a_study_of_other_data_is_refused(bundle, advset, replayed, tmp_path):
    study = find_analysis("direct")([bundle.path, advset.path], tmp_path / "direct")

    def of_other_data(header):
        header["content"]["data"]["fingerprint"] = "f" * 64

    theirs = other(study, tmp_path / "theirs", of_other_data)
    with pytest.raises(UserError, match="a study of other data") as caught:
        qbench.report([replayed.path], tmp_path / "out", html=True, studies=[theirs])
    assert "--compare" in caught.value.hint


def test_an_unknown_format_is_told(replayed, tmp_path):
    with pytest.raises(UserError, match="figure format 'gif'"):
        qbench.report([replayed.path], tmp_path / "out", figures=["gif"])


def test_without_html_there_is_no_page(replayed, tmp_path):
    made = qbench.report([replayed.path], tmp_path / "out")
    assert isinstance(made, Artifact)
    assert not (made.path / "report.html").exists()


def test_an_empty_page_is_a_page():
    assert "<h1>Nothing &amp; more</h1>" in page("Nothing & more", [])
