"""The gradient of a lifted low-bit network, held against others on the integers that it is meant to fool."""

import numpy as np
import pytest

import qbench

pytestmark = pytest.mark.slow

EPS = [16 / 255, 32 / 255]
COUNT = 100
PGD = {"attack": "pgd", "eps": EPS, "steps": 10, "count": COUNT, "checks": False}


@pytest.fixture(scope="module")
def lowbit(tmp_path_factory):
    """The bundle of digits-cnn at w2a2."""
    folder = tmp_path_factory.mktemp("white-box")
    options = {"weight_bits": 2, "act_bits": 2, "method": "lsq", "epochs": 8}
    trained = qbench.train("digits-cnn", "digits", folder / "trained", **options)
    return qbench.export(trained.path, "digits", folder / "bundle", max_drop=1)


@pytest.fixture(scope="module")
def left(lowbit):
    """Gives how many inputs tflite-ref still labels right at each budget, with PGD through a surrogate."""

    def count(attacked, surrogate):
        out = lowbit.path.parent / f"{attacked.content.full_name}-{surrogate.replace(':', '-')}"
        advset = qbench.attack(attacked.path, "digits", out, surrogate=surrogate, **PGD)
        replay = qbench.replay(lowbit.path, advset.path, ["tflite-ref"], out.with_name(f"{out.name}-replay"))
        truth = np.load(replay.path / "labels.npy")
        vectors = [np.load(replay.path / "tflite-ref" / f"eps-{i}.npy") for i in range(len(EPS))]
        return np.array([np.sum(each.argmax(axis=1) == truth) for each in vectors])

    return count


def test_the_integers_own_gradient_beats_transfer_from_a_float_network(lowbit, bundle, left):
    transferred = left(bundle, "float")
    assert np.all(left(lowbit, "lifted:clipped-ste") < transferred - COUNT // 10)


def test_it_comes_near_the_gradient_that_training_followed(lowbit, left):
    """Both are straight-through gradients of one function; the integers' own is a little the weaker."""
    assert np.all(abs(left(lowbit, "lifted:clipped-ste") - left(lowbit, "float")) < COUNT // 5)
