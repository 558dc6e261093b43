from pathlib import Path

import pytest

from qbench.errors import UserError
from qbench.experiment import plan, read
from qbench.experiment.reading import line_of
from qbench.experiment.specification import AttackEntry, Data, General, NetworkEntry, Replay
from qbench.places import data_root
from qbench.zoo import networks

HERE = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("old", "new", "line", "said", "near"),
    [
        ("epochs = 1", "epoch = 1", 12, "no key 'epoch'", "'epochs'"),
        ("[data]", "[dta]", 5, "no key 'dta'", "'data'"),
        ('name = "tiny"', 'name = "tiny"\nsed = 1', 4, "no key 'sed'", "'seed'"),
        ("checks = false", "checks = false\nbach = 4", 20, "no key 'bach'", "'batch'"),
        ("checks = false", "settings = { steps = 4 }", 19, "setting of fgsm 'steps'", "known"),
        ('name = "fgsm"', 'name = "fgms"', 17, "no attack 'fgms'", "'fgsm'"),
        ('model = "digits-cnn"', 'model = "digit-cnn"', 11, "no network 'digit-cnn'", "'digits-cnn'"),
        ('["tflite-ref"]', '["tflite-rf"]', 22, "no runtime 'tflite-rf'", "'tflite-ref'"),
        ('["8/255"]', '["8/x"]', 18, "'8/x' is neither a number nor a fraction", "docs"),
        ('["8/255"]', '["8/255"]\nsurrogate = "lift"', 19, "no surrogate 'lift'", "known"),
        ('["8/255"]', '["8/255"]\nnetworks = ["net2"]', 19, "no network 'net2'", "'net1'"),
        ("epochs = 1", "epochs = 0", 12, "network.epochs", "docs"),
        ("net{seed}", "net", 9, "two entries are called 'net'", "name = "),
        ("net{seed}", "net{width}", 9, "cannot be filled in", "seed"),
        ('model = "digits-cnn"', "", 9, "give either model", "docs"),
        ('["tflite-ref"]', '[]\ndevices = ["/dev/ttyACM0"]', 23, "does not name its board", "docs"),
        ("checks = false", '[[study]]\nname = "transfr"', 20, "no analysis 'transfr'", "'transfer'"),
        (
            "checks = false",
            '[[study]]\nname = "shift"\nsettings = { cont = 4 }',
            21,
            "no setting 'cont'",
            "'count'",
        ),
        (
            "checks = false",
            '[[study]]\nname = "shift"\nattacks = ["pgd"]',
            21,
            "no attack 'pgd'",
            "fgsm",
        ),
        ('name = "digits"', "", 5, "[data] lacks 'name'", "docs"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_was_meant(written, old, new, line, said, near):
    with pytest.raises(UserError) as caught:
        read(written(**{old: new}))
    assert f"experiment.toml, line {line}: " in caught.value.what
    assert said in caught.value.what
    assert near in (caught.value.hint or "")


def test_the_second_entry_of_an_array_has_its_own_lines(written):
    second = '[[attack]]\nname = "pgd"\nnrm = "l2"\n\n[replay]'
    with pytest.raises(UserError, match=r"line 23: .*'nrm'"):
        read(written(**{"[replay]": second}))


def test_a_key_in_an_inline_table_is_found_where_the_table_is():
    assert line_of("[a]\nb = 1\nc = { d = 2 }\n", ("a", "c", "d")) == 3
    assert line_of("[a]\nb = 1\n[a.c]\nd = 2\n", ("a", "c", "d")) == 4
    assert line_of("", ("a", "b")) == 1


def test_what_is_no_toml_is_told(written):
    with pytest.raises(UserError, match="is not TOML") as caught:
        read(written("[experiment\n"))
    assert "line 1" in (caught.value.cause or "")


@pytest.mark.parametrize("path", sorted((HERE / "experiments").glob("*.toml")), ids=lambda path: path.stem)
def test_the_experiments_that_come_with_qbench_have_a_plan(path):
    text = path.read_text()
    if "study-cnn" in text and "study-cnn" not in networks():
        pytest.skip("models/study-cnn is not here")
    spec = read(path)
    root = data_root() or HERE
    if lacking := [each.file for each in spec.network if each.file and not (root / each.file).exists()]:
        pytest.skip(f"QBENCH_DATA has no {lacking[0]}")
    planned = plan(spec)
    assert planned.name == path.stem
    assert planned.tasks[-1].kind == "report"


def test_every_key_is_in_the_guide():
    reference = (HERE / "docs" / "experiments.md").read_text()
    for table in (General, Data, NetworkEntry, AttackEntry, Replay):
        for key in table.model_fields:
            assert f"`{key}`" in reference, f"{table.__name__}: {key}"
