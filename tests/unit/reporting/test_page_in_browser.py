from io import BytesIO

import pytest
from PIL import Image
from unit.reporting import browser

import qbench

pytestmark = pytest.mark.skipif(browser.browser() is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def page(replayed, tmp_path_factory):
    """The page of a replay."""
    out = tmp_path_factory.mktemp("page") / "report"
    return qbench.report([replayed.path], out, html=True).path / "report.html"


@pytest.fixture(scope="module")
def seen(page, tmp_path_factory):
    """What a wide window shows of it."""
    return browser.visit(page, tmp_path_factory.mktemp("seen"))


def test_the_probe_sees_errors_and_requests(tmp_path):
    """A page that does what reports must not do."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        '<body><img src="other.png"><link rel=stylesheet href="http://127.0.0.1:9/x.css">'
        '<div style="width: 3000px">wide</div><script>undefinedName()</script></body>'
    )
    seen = browser.visit(bad, tmp_path)
    assert any("undefinedName is not defined" in each for each in seen.console)
    assert any(each.startswith("http://127.0.0.1:9/") for each in seen.asked)
    assert seen.found["width"] > seen.found["window"]


def test_it_loads_without_errors_and_asks_for_nothing(seen):
    assert seen.console == []
    assert seen.asked == []


def test_it_shows_verdict_figures_tables_and_examples(seen, replayed):
    found = seen.found
    text = found["text"]
    order = ["Verdict", "Robustness against eps", "Disagreement between runtimes", "Examples", "Provenance"]
    places = [text.index(f"\n{each}\n", text.index("Provenance")) for each in order]
    assert places == sorted(places)
    share = replayed.content.scores[1].by_eps[1].robust_accuracy
    assert f"{100 * share.value:.1f} [{100 * share.low:.1f}, {100 * share.high:.1f}]" in text
    assert [width > 300 for width in found["figures"]] == [True, True]
    assert all(found["images"])
    assert len(found["images"]) >= 3
    assert "Accuracy in %, clean and at each budget, with Wilson 95 % intervals" in found["captions"]
    assert replayed.manifest.key in text


def test_it_is_made_for_all_readers(seen):
    found = seen.found
    assert all(found["captions"])
    assert found["heads"] == 0
    assert len(set(found["ids"])) == len(found["ids"])
    assert set(found["links"]) <= set(found["ids"])


@pytest.mark.parametrize("steps", ["", "document.querySelectorAll('details').forEach(d => d.open = true);"])
def test_a_phone_shows_it_without_scrolling_sideways(page, tmp_path, steps):
    found = browser.visit(page, tmp_path, width=360, steps=steps).found
    assert found["window"] == 360
    assert found["width"] == 360


def test_it_is_light_or_dark_as_the_system_and_then_the_reader_want(page, tmp_path, seen):
    click = "document.getElementById('theme').click();"
    light = (seen.found["ground"], seen.found["ink"])
    dark = browser.visit(page, tmp_path, dark=True).found
    dark = (dark["ground"], dark["ink"])
    assert dark[0] == light[0].replace("255, 255, 255", "20, 24, 29") != light[0]
    for prefers_dark, expected in ((False, dark), (True, light)):
        chosen = browser.visit(page, tmp_path, dark=prefers_dark, steps=click).found
        assert (chosen["ground"], chosen["ink"]) == expected


def test_it_can_be_photographed(page, tmp_path):
    picture = browser.visit(page, tmp_path, height=1600).picture
    with Image.open(BytesIO(picture)) as image:
        assert image.size == (1100, 1600)
        assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 50
