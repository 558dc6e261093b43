"""Small experiments, written by the tests."""

import pytest

# Two networks, an attack each, one runtime: under a minute on one core.
TINY = """
[experiment]
name = "tiny"

[data]
name = "digits"
count = 8

[[network]]
name = "net{seed}"
model = "digits-cnn"
epochs = 1
seed = [0, 1]
max_drop = 1.0

[[attack]]
name = "fgsm"
eps = ["8/255"]
checks = false

[replay]
runtimes = ["tflite-ref"]

[[study]]
name = "direct"
"""

# One network and two attacks: the fewest tasks of every kind, two of which can run side by side.
SMALL = TINY.replace("seed = [0, 1]", "seed = 0").replace(
    "[replay]", '[[attack]]\nname = "bim"\neps = ["8/255"]\nchecks = false\n\n[replay]'
)


@pytest.fixture
def written(tmp_path):
    """Write an experiment's file."""

    def write(text=TINY, **replaced):
        for old, new in replaced.items():
            text = text.replace(old, new)
        path = tmp_path / "experiment.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The folder of the small experiment, done in one go by one process at a time, and its outcomes."""
    from qbench.experiment import plan, read, run

    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "small.toml").write_text(SMALL)
    outcomes = run(plan(read(folder / "small.toml"), folder / "run"), jobs=1)
    return folder / "run", outcomes
