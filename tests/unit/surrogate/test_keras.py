import keras
import numpy as np
import pytest
from keras import layers

from qbench.artifacts import Preprocessing
from qbench.attacks import Victims, find_attack
from qbench.data import IMAGE
from qbench.errors import UserError
from qbench.surrogate.frozen import load_saved_model
from qbench.surrogate.keras import KerasSurrogate, without_softmax
from qbench.surrogate.scoring import Scorer

X = np.random.default_rng(0).uniform(0, 1, (7, 4, 4, 1)).astype(np.float32)


def network(*ends):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), *ends])


@pytest.mark.parametrize(
    "ends",
    [
        lambda: [layers.Dense(3, activation="softmax")],
        lambda: [layers.Dense(3), layers.Softmax()],
        lambda: [layers.Dense(3), layers.Activation("softmax")],
        lambda: [keras.Sequential([keras.Input((16,)), layers.Dense(3), layers.Softmax()])],
        lambda: [layers.Dense(3)],
    ],
)
def test_logits_come_out_whatever_the_end(ends):
    plain = network(layers.Dense(3))
    ending = network(*ends())
    ending.set_weights(plain.get_weights())
    surrogate = KerasSurrogate(ending, Preprocessing(scale=2.0, offset=-1.0), IMAGE)
    assert np.allclose(Scorer(surrogate, batch=4)(X), plain(X * 2 - 1), atol=1e-6)


def test_the_given_model_is_left_alone():
    model = network(layers.Dense(3, activation="softmax"))
    without_softmax(model)
    assert np.allclose(np.asarray(model(X)).sum(axis=1), 1, atol=1e-6)


def test_a_softmax_that_is_used_twice_is_taken_off_once():
    inputs = keras.Input((3,))
    shared = layers.Dense(3, activation="softmax")
    middle = shared(inputs)
    logits = without_softmax(keras.Model(inputs, shared(middle)))(X[:, 0, :3, 0])
    before = keras.Model(inputs, middle)(X[:, 0, :3, 0])
    assert np.allclose(logits, before @ shared.kernel + shared.bias, atol=1e-6)


def test_a_softmax_that_the_graph_does_not_show_is_refused():
    inputs = keras.Input((3,))
    powers = keras.ops.exp(layers.Dense(3)(inputs))
    by_hand = keras.Model(inputs, powers / keras.ops.sum(powers, axis=-1, keepdims=True))
    with pytest.raises(UserError, match="cannot be taken off"):
        without_softmax(by_hand)


def test_a_saved_model_can_be_attacked(tmp_path):
    model = network(layers.Dense(3, activation="softmax"))
    model.export(tmp_path / "saved", verbose=False)
    load_saved_model(tmp_path / "saved").save(tmp_path / "m.keras")
    victims = Victims(X, np.zeros(len(X), np.int64), np.arange(len(X)))
    frozen = KerasSurrogate.load(tmp_path / "m.keras", Preprocessing(), IMAGE)
    direct = KerasSurrogate(model, Preprocessing(), IMAGE)
    found, wanted = (
        next(find_attack("pgd")(each, batch=8).perturb(victims, [0.1]))[0] for each in (frozen, direct)
    )
    assert np.allclose(found.x, wanted.x, atol=1e-5)


def test_a_file_gives_the_same_surrogate(tmp_path):
    model = network(layers.Dense(3, activation="softmax"))
    model.save(tmp_path / "m.keras")
    direct = KerasSurrogate(model, Preprocessing(), IMAGE)
    loaded = KerasSurrogate.load(tmp_path / "m.keras", Preprocessing(), IMAGE)
    assert np.array_equal(Scorer(direct)(X), Scorer(loaded)(X))
