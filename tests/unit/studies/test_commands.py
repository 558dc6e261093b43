"""Every analysis through the command line, on the digits network."""

import json

import pytest

import qbench


@pytest.fixture(scope="module")
def second(trained):
    """The same network, its integer ranges fitted on fewer inputs."""
    return qbench.export(trained.path, "digits", trained.path.parent / "bundle-32", calibration=32)


@pytest.fixture(scope="module")
def study(command, bundle, advset, second):
    """Runs `qbench study` on the bundles and the advset."""

    def run(analysis, out, *options, inputs=None):
        folders = inputs or [bundle.path, advset.path, second.path]
        done = command("study", analysis, *folders, "--out", out, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    """All analyses, quickly."""
    folder = tmp_path_factory.mktemp("studies")
    options = {
        "direct": ["--count", 50],
        "transfer": ["--runtime", "tflite-ref", "--runtime", "tflite"],
        "masking": ["--eps", "16/255", "--count", 8, "--queries", 50, "--steps", 5],
        "alignment": ["--surrogate", "float", "--surrogate", "lifted:ste", "--count", 32],
        "shift": ["--count", 4],
        "ensemble": ["--count", 8, "--steps", 3],
    }
    found = {name: json.loads(study(name, folder / name, "--json", *told)) for name, told in options.items()}
    inputs = [folder / name for name in options]
    found["claims"] = json.loads(study("claims", folder / "claims", "--json", inputs=inputs))
    return folder, found


def test_each_writes_a_study_with_tables_and_a_picture(made):
    folder, found = made
    for name, printed in found.items():
        assert printed["kind"] == "study"
        assert printed["content"]["result"]["analysis"] == name
        assert "| --- |" in (folder / name / "study.md").read_text()
        assert (folder / name / "study.svg").exists() == (name not in ("masking", "claims"))


def test_figures_are_those_of_the_artefacts(made, advset):
    _, found = made
    rows = found["direct"]["content"]["result"]["rows"]
    of_all = [row["accuracy"]["count"] for row in rows if row["protocol"] == "all"]
    assert of_all == [result.correct for result in advset.content.results]
    assert all(row["accuracy"]["total"] == 50 for row in rows if row["protocol"] == "paper")
    cells = found["transfer"]["content"]["result"]["cells"]
    assert {(cell["target"], cell["runtime"]) for cell in cells} == {
        (target, runtime)
        for target in ("digits-cnn bundle", "digits-cnn bundle-32")
        for runtime in ("tflite-ref", "tflite")
    }
    # The integer networks of one float network fall for most of what fools it.
    assert min(cell["transfer"]["value"] for cell in cells if cell["at"]["eps"] > 0.05) > 0.5


def test_one_network_is_aligned_with_itself_and_pixels_do_not_vanish(made):
    _, found = made
    pairs = found["alignment"]["content"]["result"]["pairs"]
    floats = next(
        pair for pair in pairs if pair["first"].endswith("float") and pair["second"].endswith("float")
    )
    assert floats["cosine"]["mean"]["value"] == pytest.approx(1)
    profile = found["shift"]["content"]["result"]["profiles"][0]
    entry = profile["layers"][0]
    assert (entry["layer"], entry["operator"]) == (-1, "INPUT")
    assert entry["before"]["value"] == pytest.approx(entry["after"]["value"], rel=0.05)
    assert all(0 <= layer["changed"]["value"] <= 1 for layer in profile["layers"])


def test_the_ensemble_costs_what_its_members_do(made, bundle, second):
    _, found = made
    study = found["ensemble"]["content"]["result"]
    assert study["cost"]["flash_bytes"] == sum(
        each.content.artifacts["int8.tflite"].bytes for each in (bundle, second)
    )
    assert study["cost"]["arena_bytes"] is None
    assert study["rows"][0]["at"] is None
    assert [row["adaptive"] for row in study["rows"]].count(True) == 2


def test_a_second_run_finds_the_first_and_shows_it(study, made):
    folder, _ = made
    shown = study("direct", folder / "direct", "--count", 50)
    assert "study found finished" in shown
    assert "Direct attacks" in shown


def test_a_sloppy_eps_is_explained(bundle, advset, tmp_path, command):
    done = command("study", "masking", bundle.path, advset.path, "--out", tmp_path / "o", "--eps", "1,2")
    assert done.returncode == 2
    assert "neither a number nor a fraction" in done.stderr
