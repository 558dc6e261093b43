"""Stage train: a network of models/ and a data set into a folder with the trained float network."""

from __future__ import annotations

from pathlib import Path

from qbench import training, zoo
from qbench.artifacts import Artifact, Recipe, TrainedContent, begin
from qbench.data import Dataset, load_dataset
from qbench.errors import UserError
from qbench.exporters.keras_file import save_keras
from qbench.progress import SILENT, Progress


def train(
    network: str,
    data: str | Dataset,
    out: str | Path,
    *,
    epochs: int | None = None,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
) -> Artifact[TrainedContent]:
    """Train a network of models/ from its recipe.

    Args:
        network: a name that `qbench models` lists.
        data: a data set, or what `load_dataset` takes; it needs a train split.
        out: folder to write: `float.keras` and the header.
        epochs: in place of the recipe's.
        seed: of initial weights, order and augmentation.
        force: replace what `out` holds.
        progress: hears of every step.

    Raises:
        UserError: no such network, no train split, or inputs that do not fit the network.
    """
    chosen = zoo.find_network(network)
    dataset = load_dataset(data, progress=progress) if isinstance(data, str) else data
    if dataset.train is None:
        raise UserError(
            f"{dataset.name} has no train split",
            cause="a lone folder, zip or npz is taken as test data",
            hint="give train/ and test/ folders, X-train.zip beside X-test.zip, or an npz with both",
        )
    if epochs is not None and epochs < 1:
        raise UserError(f"{epochs} epochs cannot be trained", hint="give 1 or more")
    epochs = epochs or chosen.recipe.epochs
    recipe = Recipe(
        "trained",
        settings={"network": network, "epochs": epochs, "recipe": chosen.recipe.model_dump(mode="json")},
        inputs={"data": dataset.fingerprint, "architecture": chosen.sha256},
        seed=seed,
    )
    started = begin(Path(out), recipe, force=force)
    if isinstance(started, Artifact):
        return started
    with started as draft:
        model, train_accuracy = training.fit(
            chosen, dataset, dataset.train, epochs=epochs, seed=seed, progress=progress
        )
        preprocessing = dataset.preprocessing or chosen.recipe.preprocessing(dataset.domain)
        test = preprocessing.apply(dataset.inputs(dataset.test.x))
        test_accuracy = training.accuracy(model, test, dataset.test.y)
        save_keras(model, draft.path / "float.keras")
        return draft.commit(
            TrainedContent(
                network=network,
                data=dataset.info,
                preprocessing=preprocessing,
                epochs=epochs,
                train_accuracy=train_accuracy,
                test_accuracy=test_accuracy,
            )
        )
