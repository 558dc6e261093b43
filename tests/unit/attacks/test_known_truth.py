"""Networks on which the right result of an attack is known."""

import numpy as np
import pytest
import tensorflow as tf

from qbench.artifacts import Domain
from qbench.attacks import Victims, find_attack, find_preset
from qbench.attacks.checks import after, before
from qbench.data.base import INT8_FEATURES, features
from qbench.errors import UserError

from .networks import Affine, Counting, Kinked

UNIT = features(0.0, 1.0)


def given(network, x):
    x = np.asarray(x, np.float32)
    return Victims(x, network.logits(tf.constant(x)).numpy().argmax(axis=1), np.arange(len(x)))


def found(attack, victims, eps):
    ((result,),) = attack.perturb(victims, [eps])
    return result


def fooled(attack, victims, eps):
    return int((found(attack, victims, eps).logits.argmax(axis=1) != victims.y).sum())


class TestUnits:
    """SPSA and NES see as far in a wide domain as in [0, 1]."""

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls):
        draw = np.random.default_rng(0)
        w = draw.normal(size=(40, 2)) / 40
        x = np.rint(draw.uniform(-128, 127, (32, 40)))
        network = Affine(w, [0, -np.median(x @ (w[:, 1] - w[:, 0]))], INT8_FEATURES)
        victims = given(network, x)
        rise = w[:, 1] - w[:, 0]
        toward = np.where(victims.y == 0, 1, -1)[:, None] * np.sign(rise)
        corner = np.clip(x + 16 * toward, -128, 127).astype(np.float32)
        truth = int((network.logits(corner).numpy().argmax(axis=1) != victims.y).sum())
        return network, victims, truth

    def test_the_truth(self, case):
        assert case[2] == 23

    @pytest.mark.parametrize("name", ["spsa", "nes"])
    def test_they_fool_what_can_be_fooled(self, case, name):
        network, victims, truth = case
        # One of them needs the very corner.
        assert fooled(find_attack(name)(network, norm="linf", budget=2000), victims, 16.0) >= truth - 1

    @pytest.mark.parametrize("name", ["spsa", "nes"])
    def test_no_look_is_shorter_than_a_level_of_the_oracle(self, name):
        network = Kinked()
        oracle = Counting(network, step=1 / 15)
        x = np.rint(np.random.default_rng(0).uniform(3, 12, (12, 4, 4, 3))) / 15
        victims = given(network, x)
        attack = find_attack(name)(network, oracle, norm="linf", budget=600, delta=1e-4)
        assert fooled(attack, victims, 3 / 15) >= 10

    def test_a_wider_domain_changes_nothing_but_the_unit(self):
        x = np.random.default_rng(0).uniform(0.2, 0.8, (8, 4, 4, 3)).astype(np.float32)
        narrow = Kinked()
        wide = Kinked(Domain(name="features", low=0.0, high=256.0, step=None))
        wide.first = narrow.first / 256
        wide.logits = lambda each: narrow.logits(each / 256)
        for name in ("spsa", "nes", "zoo", "hopskipjump", "square", "cw", "deepfool"):
            attack = find_attack(name)
            settings = {"budget": 400} if attack.asks else {}
            one = found(attack(narrow, norm="l2", batch=8, **settings), given(narrow, x), 0.4)
            other = found(attack(wide, norm="l2", batch=8, **settings), given(wide, x * 256), 0.4 * 256)
            assert np.allclose(one.x, other.x / 256, atol=2e-3), name

    def test_a_study_s_budgets_and_steps_are_stretched(self):
        preset = find_preset("paper:bim").within(INT8_FEATURES)
        assert preset.eps == (pytest.approx(0.03 * 255),)
        assert preset.settings == {"steps": 300, "step_size": pytest.approx(0.0003 * 255)}


class TestUnderflow:
    """Where the true class's probability is 1 to the bit, the cross-entropy's gradient is zero."""

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls):
        draw = np.random.default_rng(0)
        w, x = draw.normal(size=(40, 3)) / np.sqrt(40), draw.uniform(0, 1, (32, 40)).astype(np.float32)
        network = Affine(3000 * w, 3000 * -(x.mean(0) @ w), UNIT)
        return network, given(network, x)

    @pytest.mark.parametrize("name", ["fgsm", "bim", "mim", "pgd", "apgd-ce", "apgd-dlr", "lattice"])
    def test_all_are_fooled(self, case, name):
        network, victims = case
        if name == "lattice":
            victims = given(network, np.rint(victims.x * 255) / 255)
            network = Affine(network.weights, network.bias, Domain(name="image", low=0, high=1, step=1 / 255))
        assert fooled(find_attack(name)(network, batch=32), victims, 0.15) == 32

    def test_towards_a_label_too(self, case):
        network, victims = case
        wanted = Victims(victims.x, (victims.y + 1) % 3, victims.indices)
        result = found(find_attack("pgd")(network, batch=32, targeted=True), wanted, 0.3)
        assert (result.logits.argmax(axis=1) == wanted.y).sum() >= 30

    def test_there_is_nothing_to_find(self, case):
        network, victims = case
        assert before(find_attack("pgd")(network, batch=32), victims) == []


class Guarded(Affine):
    """Of logarithms, guarded at zero: finite scores, a NaN gradient where an input element is zero."""

    def logits(self, x):
        return super().logits(tf.where(x > 0, tf.math.log(x) / 8, 0.0))


class TestNotANumber:
    @pytest.fixture(scope="class")
    @classmethod
    def case(cls):
        draw = np.random.default_rng(0)
        w, x = draw.normal(size=(16, 3)), draw.uniform(0, 1, (16, 16)).astype(np.float32)
        x[:, :4] = 0
        network = Guarded(w, -((np.log(x, out=np.zeros_like(x), where=x > 0) / 8).mean(0) @ w), UNIT)
        return network, given(network, x)

    @pytest.mark.parametrize(
        "name", ["fgsm", "bim", "mim", "pgd", "apgd-ce", "apgd-dlr", "deepfool", "fab-t", "cw"]
    )
    def test_the_other_elements_move_on(self, case, name):
        network, victims = case
        eps = 0.5 if name in ("deepfool", "cw") else 0.2
        assert fooled(find_attack(name)(network, batch=16), victims, eps) >= 10

    def test_it_is_found(self, case):
        network, victims = case
        (finding,) = (
            each for each in before(find_attack("bim")(network, batch=16), victims) if "finite" in each.check
        )
        assert (finding.check, finding.count, finding.total) == ("non-finite-gradient", 16, 16)


class Band(Affine):
    """Class 0 in a band of mean grey that uniform noise always meets: no random start is of class 1."""

    def logits(self, x):
        mean = tf.reduce_mean(tf.reshape(x, [tf.shape(x)[0], -1]), axis=1)
        return tf.stack([0.12 - tf.abs(mean - 0.5), tf.abs(mean - 0.5) - 0.12], axis=1) * 10


class TestStarts:
    @pytest.fixture(scope="class")
    @classmethod
    def case(cls):
        draw = np.random.default_rng(0)
        noise = draw.normal(size=(16, 1)) * 0.005 + 0.02 * draw.normal(size=(16, 64))
        network = Band(np.zeros((64, 2)), [0, 0], UNIT)
        return network, given(network, np.clip(0.6 + noise, 0, 1))

    def test_a_blank_input_is_a_start(self, case):
        network, victims = case
        assert fooled(find_attack("hopskipjump")(network, norm="linf", budget=6000), victims, 0.1) == 16

    def test_an_input_of_another_class_is_a_nearer_one(self, case):
        network, victims = case
        near = np.full(64, 0.63, np.float32)
        told = Victims(victims.x, victims.y, victims.indices, {0: victims.x[0], 1: near})
        attack = find_attack("hopskipjump")(network, norm="linf", budget=55)
        one, other = found(attack, told, 1.0), found(attack, victims, 1.0)
        assert np.abs(one.x - victims.x).max() < 0.15 < np.abs(other.x - victims.x).max()

    def test_where_there_is_none_the_checks_say_so(self):
        network = Affine(np.zeros((4, 2)), [1.0, 0.0], UNIT)
        victims = given(network, np.full((6, 4), 0.5))
        attack = find_attack("hopskipjump")(network, norm="linf", budget=300)
        result = found(attack, victims, 0.1)
        assert np.array_equal(result.x, victims.x)
        (finding,) = after(attack, victims, 0.1, result.x, result.logits, None)
        assert (finding.check, finding.count, finding.total) == ("no-start", 6, 6)


@pytest.mark.parametrize("name", ["deepfool", "fab-t", "cw"])
def test_a_boundary_outside_the_domain_hides_no_other(name):
    network = Affine([[0, -10.0, 0], [0, 0, 1.0], [0, 0, 1.0]], [0, -1.0, -1.0], UNIT)
    result = found(find_attack(name)(network, norm="l2", batch=1), given(network, [[0, 0.2, 0.2]]), 1.7)
    assert result.logits.argmax(axis=1).tolist() == [2]
    assert 0.424 < np.linalg.norm(result.x - [[0, 0.2, 0.2]]) < 0.44


class TestFewClasses:
    """A hard network of two or three classes, of which some inputs are left for every member."""

    @pytest.mark.parametrize("classes", [2, 3])
    @pytest.mark.parametrize("name", ["autoattack", "autoattack-int8"])
    def test_an_ensemble_runs_to_its_end(self, classes, name):
        network = Kinked(seed=5)
        network.last = network.last[:, :classes]
        victims = given(network, np.random.default_rng(1).uniform(0.2, 0.8, (24, 4, 4, 3)))
        attack = find_attack(name)(network, steps=10, budget=100)
        result = found(attack, victims, 0.03)
        stands = result.logits.argmax(axis=1) == victims.y
        assert 0 < stands.sum() < 24
        for alone in ("pgd", "apgd-ce"):
            held = found(find_attack(alone)(network, batch=24), victims, 0.03).logits.argmax(axis=1)
            assert (stands <= (held == victims.y)).sum() >= 23, alone

    def test_a_loss_of_three_classes_is_refused_for_two(self):
        network = Kinked()
        network.last = network.last[:, :2]
        victims = given(network, np.full((2, 4, 4, 3), 0.5))
        with pytest.raises(UserError, match="apgd-dlr needs 3 classes"):
            found(find_attack("apgd-dlr")(network, batch=2), victims, 0.1)
