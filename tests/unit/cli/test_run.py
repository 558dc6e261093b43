import json

import pytest

BROKEN = """
[experiment]
name = "broken"

[data]
name = "digits"

[[network]]
name = "bad"
file = "{file}"

[[attack]]
name = "fgsm"
eps = ["8/255"]
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "broken.keras").write_bytes(b"no network")
    path = tmp_path / "experiment.toml"
    path.write_text(BROKEN.replace("{file}", str(tmp_path / "broken.keras")))
    return path


def test_a_dry_run_prints_the_plan_and_writes_nothing(command, file, tmp_path):
    done = command("run", file, "--out", tmp_path / "run", "--dry-run")
    assert done.returncode == 0
    for part in ("bundle/bad", "advset/bad/fgsm", "replay/bad/fgsm", "report/bad", "4 tasks", "2 GiB"):
        assert part in done.stdout
    assert not (tmp_path / "run").exists()
    planned = command.json("run", file, "--dry-run")
    assert [task["kind"] for task in planned["tasks"]] == ["export", "attack", "replay", "report"]
    assert planned["out"] == "out/broken"


def test_failures_are_listed_at_the_end_and_give_the_exit_code(command, file, tmp_path):
    done = command("run", file, "--out", tmp_path / "run", "--json")
    assert done.returncode == 2
    states = {task["id"]: task["state"] for task in json.loads(done.stdout)["tasks"]}
    assert states.pop("bundle/bad") == "failed"
    assert set(states.values()) == {"skipped"}
    said = command("run", file, "--out", tmp_path / "run")
    assert "failed: bundle/bad\n" in said.stdout
    assert "skipped: report/bad\n  it needs bundle/bad, which failed" in said.stdout
    assert "experiment broken: 1 failed, 3 skipped" in said.stdout


def test_a_misspelt_key_is_the_users_mistake(command, file):
    file.write_text(file.read_text().replace("eps", "epz"))
    done = command("run", file)
    assert done.returncode == 2
    assert "line 14: there is no key 'epz'" in done.stderr
    assert "did you mean 'eps'?" in done.stderr
