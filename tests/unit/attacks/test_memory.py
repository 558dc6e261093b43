"""Where memory does not suffice for a batch, half of it is tried."""

import numpy as np
import pytest
import tensorflow as tf

from qbench.attacks import Victims, find_attack
from qbench.errors import EnvironmentLacks

from .networks import Kinked


class Large(Kinked):
    """As TensorFlow fails where a tensor cannot be allocated."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    def logits(self, x):
        if x.shape[0] > self.most:
            raise tf.errors.ResourceExhaustedError(
                None, None, f"OOM when allocating tensor with shape{x.shape}"
            )
        return super().logits(x)


def victims(n=21):
    x = np.random.default_rng(0).uniform(0, 1, (n, 4, 4, 3)).astype(np.float32)
    return Victims(x, np.zeros(n, np.int64), np.arange(n))


@pytest.mark.parametrize("name", ["pgd", "square"])
def test_a_batch_is_halved_until_it_fits_and_the_result_is_the_same(name):
    told = {"budget": 20} if name == "square" else {"steps": 4}
    notes = []
    attack = find_attack(name)(Large(6), batch=16, **told)
    parts = [found for (found,) in attack.perturb(victims(), [0.1], notes.append)]
    expected = find_attack(name)(Kinked(), batch=5, **told).perturb(victims(), [0.1])
    found, whole = (
        np.concatenate([each.x for each in each_of]) for each_of in (parts, [f for (f,) in expected])
    )
    assert np.allclose(found, whole, atol=1e-6)
    if name == "pgd":
        assert attack.batch == 4
        assert notes[-1].endswith("going on with 4 inputs a pass")


def test_where_a_single_input_does_not_fit_it_is_said():
    with pytest.raises(EnvironmentLacks, match="not enough memory for a single input"):
        next(find_attack("fgsm")(Large(0), batch=4).perturb(victims(), [0.1]))
