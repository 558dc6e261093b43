import numpy as np
import pytest

from qbench.artifacts import Domain
from qbench.data import IMAGE, INT8_FEATURES
from qbench.errors import UserError
from qbench.surrogate.keras import without_softmax
from qbench.surrogate.keras_file import open_keras
from qbench.zoo import find_network, networks
from tests.unit.readme import stated


def test_there_are_networks():
    assert {"digits-cnn", "resnet8"} <= set(networks())


@pytest.mark.parametrize("name", networks())
def test_every_network_is_what_its_readme_says_and_gives_logits(name):
    network = find_network(name)
    weights, shape, classes = stated(name)
    model = network.build(shape, classes)
    assert model.count_params() == weights
    scores = model(np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)).numpy()
    if network.recipe.reconstructs:
        assert scores.shape == (2, *shape)
        return
    assert scores.shape == (2, classes)
    assert not np.allclose(scores.sum(axis=1), 1), "a softmax, not logits"


def test_the_recipe_maps_the_domain_onto_what_the_network_expects():
    recipe = find_network("resnet8").recipe
    ends = np.array([0.0, 1.0], np.float32)
    assert recipe.preprocessing(IMAGE).apply(ends).tolist() == [0, 255]
    codes = np.array([-128.0, 127.0], np.float32)
    assert np.allclose(find_network("dscnn").recipe.preprocessing(INT8_FEATURES).apply(codes), [-1, 1])
    features = Domain(name="features", low=-3, high=5, step=None)
    assert recipe.preprocessing(features).apply(codes).tolist() == codes.tolist()


@pytest.mark.parametrize(
    ("name", "folder"),
    [("mobilenet-vww", "vww-mobilenet"), ("conv1d-sww", "sww-conv1d"), ("autoencoder-ad", "ad-autoencoder")],
)
def test_a_recipe_of_mlperf_tiny_computes_what_the_benchmarks_network_does(data_root, name, folder):
    published = open_keras(data_root / "mlperf-tiny" / folder / "float.h5")
    shape = tuple(published.input_shape[1:])
    model = find_network(name).build(shape, 2 if name == "autoencoder-ad" else published.output_shape[-1])
    model.set_weights(published.get_weights())
    x = np.random.default_rng(0).random((4, *shape)).astype(np.float32)
    np.testing.assert_allclose(model(x).numpy(), without_softmax(published)(x).numpy(), atol=1e-4)


def test_inputs_too_small_for_the_network_are_the_users_mistake():
    with pytest.raises(UserError, match="cannot take inputs of shape"):
        find_network("digits-cnn").build((2, 2, 1), 10)


def test_the_nearest_name_is_suggested():
    with pytest.raises(UserError) as caught:
        find_network("resnet")
    assert "did you mean 'resnet8'" in caught.value.hint
