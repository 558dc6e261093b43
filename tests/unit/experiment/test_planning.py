import pytest

from qbench.errors import UserError
from qbench.experiment import plan, read
from tests.unit.experiment.conftest import TINY

GRID = TINY.replace("seed = [0, 1]", "bits = [1, 2]\nmethod = ['dorefa', 'lsq']").replace(
    "net{seed}", "w{bits}a{bits}-{method}"
)


def ids(planned, kind):
    return [task.id for task in planned.tasks if task.kind == kind]


def found(planned, name):
    return next(task for task in planned.tasks if task.id == name)


def test_tasks_come_behind_what_they_need(written):
    planned = plan(read(written()))
    seen = set()
    for task in planned.tasks:
        assert set(task.needs) <= seen, task.id
        seen.add(task.id)
    assert ids(planned, "report") == ["report/net0", "report/net1", "page"]
    assert found(planned, "report/net1").needs == ("replay/net1/fgsm",)
    assert planned.out == "out/tiny"


def test_a_grid_is_one_entry(written):
    planned = plan(read(written(GRID)))
    assert ids(planned, "train") == [
        "trained/w1a1-dorefa",
        "trained/w1a1-lsq",
        "trained/w2a2-dorefa",
        "trained/w2a2-lsq",
    ]
    settings = found(planned, "trained/w2a2-lsq").settings
    assert settings == {
        "network": "digits-cnn",
        "data": "digits",
        "epochs": 1,
        "weight_bits": 2,
        "act_bits": 2,
        "method": "lsq",
        "seed": 0,
    }


def test_a_stage_gets_only_what_the_file_says(written):
    planned = plan(read(written()))
    assert found(planned, "trained/net1").settings == {
        "network": "digits-cnn",
        "data": "digits",
        "epochs": 1,
        "seed": 1,
    }
    assert found(planned, "advset/net0/fgsm").settings == {
        "data": "digits",
        "attack": "fgsm",
        "eps": [8 / 255],
        "count": 8,
        "checks": False,
        "seed": 0,
    }


def test_transfer_replays_every_advset_on_every_network_of_the_same_data(written):
    planned = plan(read(written(**{"[replay]": "[replay]\ntransfer = true"})))
    assert ids(planned, "replay") == [
        "replay/net0/fgsm",
        "replay/net0/fgsm-from-net1",
        "replay/net1/fgsm-from-net0",
        "replay/net1/fgsm",
    ]
    crossed = found(planned, "replay/net0/fgsm-from-net1")
    assert crossed.inputs == {"bundle": "bundle/net0", "advset": "advset/net1/fgsm"}


def test_a_board_gets_a_replay_of_its_own(written):
    devices = 'devices = ["qemu:stm32f405", { board = "mps2-an500", port = "/dev/ttyACM0" }]'
    planned = plan(read(written(**{"[replay]": f"[replay]\n{devices}"})))
    task = found(planned, "replay/net0/fgsm-on-mps2-an500")
    assert (task.board, task.port) == ("mps2-an500", "/dev/ttyACM0")
    assert task.settings == {"runtimes": [], "devices": ["/dev/ttyACM0"]}
    assert found(planned, "replay/net0/fgsm-on-stm32f405").port == "qemu:stm32f405"


def test_a_study_keeps_its_own_number_of_inputs(written):
    planned = plan(read(written(**{'name = "fgsm"\neps = ["8/255"]': 'name = "paper:fgsm"'})))
    assert "count" not in found(planned, "advset/net0/paper-fgsm").settings


def test_a_trained_network_needs_no_training(written, tmp_path):
    (tmp_path / "mine.keras").write_bytes(b"")
    text = TINY.replace('model = "digits-cnn"\nepochs = 1', f'file = "{tmp_path}/mine.keras"')
    planned = plan(read(written(text.replace("seed = [0, 1]\n", "").replace("{seed}", ""))))
    assert ids(planned, "train") == []
    assert found(planned, "bundle/net").settings["model"] == str(tmp_path / "mine.keras")


def test_a_missing_file_is_told(written):
    text = TINY.replace('model = "digits-cnn"', 'file = "nowhere.keras"')
    with pytest.raises(UserError, match=r"no file nowhere\.keras"):
        plan(read(written(text)))


STUDIES = """
[[study]]
name = "claims"

[[study]]
name = "near"
analysis = "masking"
networks = ["net1"]
attacks = ["paper:bim"]
settings = { queries = 100 }

[[study]]
name = "transfer"
"""


def test_analyses_look_at_what_they_name_and_claims_at_the_analyses(written):
    text = TINY.replace("[replay]", '[[attack]]\nname = "paper:bim"\n\n[replay]\ntransfer = true') + STUDIES
    planned = plan(read(written(text)))
    near = found(planned, "study/near")
    assert near.needs == ("bundle/net1", "advset/net1/paper-bim", "replay/net1/paper-bim")
    assert near.settings == {"seed": 0, "queries": 100}
    everything = found(planned, "study/transfer")
    assert everything.settings == {}
    assert set(everything.needs) == {
        f"{kind}/net{i}{attack}"
        for i in (0, 1)
        for kind, attack in (
            ("bundle", ""),
            *((kind, attack) for kind in ("advset", "replay") for attack in ("/fgsm", "/paper-bim")),
        )
    }
    assert found(planned, "study/claims").needs == ("study/direct", "study/near", "study/transfer")
    page = found(planned, "page").needs
    assert {"study/claims", "study/near", "study/transfer", "replay/net0/fgsm"} < set(page)
    assert not any("-from-" in name for name in page)
