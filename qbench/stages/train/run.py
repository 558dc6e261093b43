"""Stage train: a network of models/ and a data set into a folder with the trained network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from qbench import training, zoo
from qbench.artifacts import (
    Artifact,
    Draft,
    Hardening,
    LowBit,
    Recipe,
    TrainedContent,
    load,
    make,
    sha256_of,
)
from qbench.artifacts.networks import FLOAT_BITS
from qbench.data import Dataset, Split, load_dataset
from qbench.errors import UserError
from qbench.exporters.keras_file import load_keras, save_keras
from qbench.stages.base import stage
from qbench.stages.train.options import DEFAULT_METHOD, TrainOptions

if TYPE_CHECKING:
    import keras


@stage(TrainOptions)
def train(
    network: str, data: str | Dataset, out: str | Path, options: TrainOptions
) -> Artifact[TrainedContent]:
    """Train a network of models/ from its recipe; interrupted, the same call goes on after the last epoch.

    Args:
        network: a name that `qbench models` lists.
        data: a data set, or what `load_dataset` takes; it needs a train split.
        out: folder to write: `float.keras` and the header.
        options: see below. A network to fine-tune takes inputs as the recipe says, and is trained at a tenth
            of the recipe's rate.

    Raises:
        UserError: no such network or method, no train split, or settings or inputs that do not fit.
    """
    chosen = zoo.find_network(network)
    lowbit, hardening = _lowbit(options), _hardening(options)
    dataset = load_dataset(data, progress=options.progress) if isinstance(data, str) else data
    split = _learnt_from(_train_split(dataset), chosen, hardened=hardening is not None)
    epochs = chosen.recipe.epochs if options.epochs is None else options.epochs
    source, digest = (None, None) if options.start is None else _source(options.start, network, options.width)
    recipe = _recipe(
        chosen, dataset, digest, epochs, options.seed, width=options.width, lowbit=lowbit, hardening=hardening
    )

    def write(draft: Draft) -> TrainedContent:
        plan = training.TrainingPlan(
            recipe=chosen.recipe,
            preprocessing=dataset.preprocessing or chosen.recipe.preprocessing(dataset.domain),
            epochs=epochs,
            seed=options.seed,
            checkpoint=draft.path / "checkpoint.npz",
            fine_tune=source is not None,
            hardening=hardening,
        )
        training.make_deterministic(options.seed)
        model = _network(chosen, dataset, source, options.width)
        if lowbit is not None:
            model = _rewritten(model, lowbit, dataset, plan)
        train_accuracy = training.fit(model, dataset, split, plan, options.progress)
        test_accuracy = training.accuracy(model, dataset, plan)
        save_keras(model, draft.path / "float.keras")
        plan.checkpoint.unlink()
        return TrainedContent(
            network=network,
            data=dataset.info,
            preprocessing=plan.preprocessing,
            epochs=epochs,
            train_accuracy=train_accuracy,
            test_accuracy=test_accuracy,
            lowbit=lowbit,
            hardening=hardening,
        )

    return make(out, recipe, write, force=options.force)


def _recipe(
    chosen: zoo.ZooNetwork, dataset: Dataset, start: str | None, epochs: int, seed: int, **given: Any
) -> Recipe:
    """What the trained network depends on; of `given`, records and numbers, what is not None."""
    settings = {name: value for name, value in given.items() if value is not None}
    return Recipe(
        "trained",
        settings={
            "network": chosen.name,
            "epochs": epochs,
            "recipe": chosen.recipe.model_dump(
                mode="json", exclude=None if chosen.recipe.reconstructs else {"reconstructs"}
            ),
            **{
                name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
                for name, value in settings.items()
            },
        },
        inputs={
            "data": dataset.fingerprint,
            "architecture": chosen.sha256,
            **({} if start is None else {"start": start}),
        },
        seed=seed,
    )


def _lowbit(options: TrainOptions) -> LowBit | None:
    """The bit widths, validated; None if weights and activations are float32."""
    from qbench.lowbit import schemes

    lowbit = LowBit(
        weight_bits=options.weight_bits,
        act_bits=options.act_bits,
        method=options.method,
        end_weight_bits=options.end_weight_bits,
    )
    schemes.check(lowbit, schemes.METHODS)
    if not options.weight_bits == options.act_bits == FLOAT_BITS:
        return lowbit
    if options.method != DEFAULT_METHOD or options.end_weight_bits is not None:
        raise UserError(
            "a way to quantize is given, but all weights and activations are float32",
            hint="give --weight-bits or --act-bits, 1 to 8",
        )
    return None


def _hardening(options: TrainOptions) -> Hardening | None:
    """What to do against adversarial inputs, checked; None if nothing."""
    if (options.adversarial is None) != (options.eps is None):
        raise UserError("adversarial training takes an attack and a budget", hint="give both, or neither")
    if options.adversarial is None:
        return Hardening(jacobian=options.jacobian) if options.jacobian else None
    return Hardening(attack="pgd", eps=options.eps or 0.0, steps=options.steps, jacobian=options.jacobian)


def _train_split(dataset: Dataset) -> Split:
    if dataset.train is None:
        raise UserError(
            f"{dataset.name} has no train split",
            cause="a lone folder, zip or npz is taken as test data",
            hint="give train/ and test/ folders, X-train.zip beside X-test.zip, or an npz with both",
        )
    return dataset.train


def _learnt_from(split: Split, chosen: zoo.ZooNetwork, *, hardened: bool) -> Split:
    """What the network learns from: all training inputs, or of an autoencoder the normal ones."""
    if split.values is not None:
        raise UserError(
            "the data hold the values of a regression, and the networks of models/ are no regressors",
            hint="train your own network, and give its file to qbench export",
        )
    if not chosen.recipe.reconstructs:
        return split
    normal = split.y == 0
    if hardened or not normal.any():
        raise UserError(
            f"{chosen.name} learns to give normal inputs back, which adversarial training has no meaning for"
            if hardened
            else f"{chosen.name} learns from normal inputs, and no training input has the label 0",
            hint="leave --adversarial and --jacobian out" if hardened else "label normal inputs 0",
        )
    return Split(split.x[normal], split.y[normal])


def _source(path: Path, network: str, width: int | None) -> tuple[Path, str]:
    """The file of the network to fine-tune, and the hash that stands for it."""
    if width is not None:
        raise UserError("the network to fine-tune has its width already", hint="leave --width out")
    if (path / "manifest.json").is_file():
        trained = load(path, "trained")
        if trained.content.network != network:
            raise UserError(
                f"{path} holds a {trained.content.network}, not a {network}",
                hint=f"train {trained.content.network}, or give another network",
            )
        return path / "float.keras", trained.manifest.digest
    if not path.is_file():
        raise UserError(f"there is no network at {path}", hint="give a .keras file, or a trained folder")
    return path, sha256_of(path)


def _network(chosen: zoo.ZooNetwork, dataset: Dataset, source: Path | None, width: int | None) -> keras.Model:
    """The network to start from: a new one, or the one to fine-tune."""
    from qbench.lowbit.layers import is_low_bit

    shape, classes = dataset.info.input_shape, len(dataset.classes)
    if source is None:
        return chosen.build(shape, classes, width)
    model = load_keras(source)
    if is_low_bit(model):
        raise UserError(
            f"{source} is a low-bit network",
            cause="its weights and activations are quantized already",
            hint="fine-tune the float network that it came from",
        )
    if tuple(model.inputs[0].shape[1:]) != shape or model.outputs[0].shape[-1] != classes:
        raise UserError(
            f"{source} takes {tuple(model.inputs[0].shape[1:])} and gives {model.outputs[0].shape[-1]} "
            f"scores; {dataset.name} has inputs of shape {shape} and {classes} classes",
            hint="give the data set that it was made for",
        )
    return model


def _rewritten(
    model: keras.Model, lowbit: LowBit, dataset: Dataset, plan: training.TrainingPlan
) -> keras.Model:
    """The network at low widths, its input on the grid of the data."""
    from qbench.lowbit.rewriting import input_range, rewrite

    return rewrite(model, lowbit, input_range(dataset.domain, plan.preprocessing))
