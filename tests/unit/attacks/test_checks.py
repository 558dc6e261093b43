"""Every check finds what it is for, and nothing on a sound network."""

import numpy as np
import pytest
import tensorflow as tf

from qbench.attacks import Victims, find_attack
from qbench.attacks.checks import EXPLANATIONS, after, before
from qbench.errors import EnvironmentLacks

from .networks import Kinked


def victims(network, n=24):
    x = np.random.default_rng(0).uniform(0.2, 0.8, (n, 4, 4, 3)).astype(np.float32)
    return Victims(x, network.logits(x).numpy().argmax(axis=1), np.arange(n))


class Noisy:
    """An oracle that answers otherwise each time."""

    name, step = "noisy", None

    def __init__(self, network):
        self.network, self.rng = network, np.random.default_rng(0)

    def __call__(self, x):
        scores = self.network.logits(x).numpy()
        return scores + self.rng.normal(size=scores.shape).astype(np.float32) * 1e-3


class Unplugged(Noisy):
    """It answers no more."""

    def as_replayed(self, x_adv, *_):
        return x_adv

    def __call__(self, _):
        raise EnvironmentLacks("the board is gone")


class Staircase(Kinked):
    """The same decisions, but the gradient is zero everywhere: defensive quantization."""

    name = "staircase"

    def logits(self, x):
        scores = super().logits(x)
        return tf.stop_gradient(tf.round(scores * 50) / 50) + 0 * scores


class Inverted(Kinked):
    """Its gradient points away from every boundary."""

    name = "inverted"

    def logits(self, x):
        scores = super().logits(x)
        return tf.stop_gradient(2 * scores) - scores


def names(found):
    return {each.check for each in found}


def results(attack, given, eps):
    ((found,),) = attack.perturb(given, [eps])
    return found.x, found.logits


def test_a_sound_attack_on_a_sound_network_has_no_findings():
    network = Kinked()
    given = victims(network)
    attack = find_attack("pgd")(network, batch=24, steps=40)
    assert before(attack, given) == []
    assert after(attack, given, 0.1, *results(attack, given, 0.1), None) == []


def test_outputs_that_vary_are_found():
    network = Kinked()
    attack = find_attack("square")(network, Noisy(network))
    (found,) = before(attack, victims(network))
    assert (found.check, found.count, found.total) == ("unstable-outputs", 24, 24)
    assert found.anchor == "docs/attacks.md#unstable-outputs"
    assert found.explanation == EXPLANATIONS["unstable-outputs"]


def test_probabilities_are_found():
    network = Kinked()

    def oracle(x):
        return tf.nn.softmax(network.logits(x)).numpy()

    oracle.name, oracle.step = "softmax", None
    assert names(before(find_attack("square")(network, oracle), victims(network))) == {"probabilities"}


def test_a_masked_gradient_is_found_from_three_sides():
    network = Staircase()
    given = victims(network)
    attack = find_attack("bim")(network, batch=24)
    assert names(before(attack, given)) == {"zero-gradient", "unbounded-fails"}
    found = after(attack, given, 0.2, *results(attack, given, 0.2), None)
    assert "queries-beat-gradient" in names(found)


def test_a_gradient_that_misleads_fails_without_bound():
    network = Inverted()
    found = names(before(find_attack("pgd")(network, batch=24), victims(network)))
    assert "unbounded-fails" in found
    assert "zero-gradient" not in found


def test_steps_that_are_too_few_are_found():
    network = Kinked()
    given = victims(network)
    attack = find_attack("bim")(network, batch=24, steps=3, step_size=0.005)
    found = after(attack, given, 0.1, *results(attack, given, 0.1), None)
    assert {"more-steps-help", "one-step-beats-many"} <= names(found)
    assert all(each.eps == 0.1 for each in found)


def test_what_rounding_erases_is_found():
    network = Kinked()
    given = victims(network)
    attack = find_attack("fgsm")(network, batch=24)
    x_adv, logits = results(attack, given, 1e-4)
    found = after(attack, given, 1e-4, x_adv, logits, lambda x: np.rint(x * 15))
    erased = next(each for each in found if each.check == "erased-by-rounding")
    assert erased.total == 24
    assert erased.count > 20


@pytest.mark.parametrize("check", EXPLANATIONS)
def test_every_check_has_its_place_in_the_guide(check, pytestconfig):
    assert f"### {check}\n" in (pytestconfig.rootpath / "docs" / "attacks.md").read_text()


def test_queries_are_challenged_by_the_surrogate_by_square_and_by_more_of_themselves():
    network = Kinked()
    given = victims(network)
    attack = find_attack("spsa")(network, norm="linf", budget=70, samples=64)
    found = {
        each.check: each for each in after(attack, given, 0.1, given.x, network.logits(given.x).numpy(), None)
    }
    assert set(found) == {
        "changed-nothing",
        "transfer-beats-queries",
        "square-beats-queries",
        "more-queries-help",
    }
    assert found["changed-nothing"].count == found["transfer-beats-queries"].total == 24
    assert found["more-queries-help"].total == 8


def test_a_sound_attack_by_queries_has_no_findings():
    network = Kinked()
    given = victims(network)
    attack = find_attack("square")(network, norm="linf", budget=800)
    assert before(attack, given) == []
    assert after(attack, given, 0.1, *results(attack, given, 0.1), None) == []


def test_a_check_that_fails_does_not_lose_the_attack():
    network = Kinked()
    given = victims(network)
    attack = find_attack("pgd")(network, batch=24)
    finished = results(attack, given, 0.02)

    attack.score = Unplugged(network)
    found = before(attack, given)
    assert {each.check for each in found} == {"unfinished"}
    assert "unstable-outputs could not run: the board is gone" in found[0].explanation
    assert "queries-beat-gradient" in str(after(attack, given, 0.02, *finished, None))
