"""Stage train: a network of models/ and a data set into a folder with the trained network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from qbench import training, zoo
from qbench.artifacts import Artifact, Hardening, LowBit, Recipe, TrainedContent, begin, load, sha256_of
from qbench.artifacts.schema import FLOAT_BITS
from qbench.data import Dataset, Split, load_dataset
from qbench.errors import UserError
from qbench.exporters.keras_file import load_keras, save_keras
from qbench.progress import SILENT, Progress

if TYPE_CHECKING:
    import keras

_METHOD = "dorefa"


def train(
    network: str,
    data: str | Dataset,
    out: str | Path,
    *,
    epochs: int | None = None,
    start: str | Path | None = None,
    width: int | None = None,
    weight_bits: int = FLOAT_BITS,
    act_bits: int = FLOAT_BITS,
    method: str = _METHOD,
    end_weight_bits: int | None = None,
    adversarial: str | None = None,
    eps: float | None = None,
    steps: int = 7,
    jacobian: float = 0.0,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
) -> Artifact[TrainedContent]:
    """Train a network of models/ from its recipe; interrupted, the same call goes on after the last epoch.

    Args:
        network: a name that `qbench models` lists.
        data: a data set, or what `load_dataset` takes; it needs a train split.
        out: folder to write: `float.keras` and the header.
        epochs: in place of the recipe's.
        start: a trained float network to fine-tune, a `.keras` file or a folder that `train` wrote, which
            takes inputs as the recipe says; the rate is then a tenth of the recipe's.
        width: of a network that comes in several.
        weight_bits: of the weights, 1 to 8, or 32 for real numbers.
        act_bits: of the activations, likewise.
        method: one of `qbench.lowbit.schemes.METHODS`.
        end_weight_bits: of the first and the last layer; as `weight_bits` if None, the study's choice.
        adversarial: "pgd" to train on its adversarial inputs.
        eps: its Linf budget in the domain's unit.
        steps: its steps.
        jacobian: weight of the penalty on the Jacobian.
        seed: of initial weights, order, augmentation and adversarial starts.
        force: replace what `out` holds.
        progress: hears of every step.

    Raises:
        UserError: no such network or method, no train split, or settings or inputs that do not fit.
    """
    chosen = zoo.find_network(network)
    lowbit = _lowbit(weight_bits, act_bits, method, end_weight_bits)
    hardening = _hardening(adversarial, eps, steps, jacobian)
    dataset = load_dataset(data, progress=progress) if isinstance(data, str) else data
    split = _train_split(dataset)
    epochs = chosen.recipe.epochs if epochs is None else epochs
    if epochs < 1:
        raise UserError(f"{epochs} epochs cannot be trained", hint="give 1 or more")
    source, digest = (None, None) if start is None else _source(Path(start), network, width)
    recipe = _recipe(chosen, dataset, digest, epochs, seed, width=width, lowbit=lowbit, hardening=hardening)
    begun = begin(Path(out), recipe, force=force)
    if isinstance(begun, Artifact):
        return begun
    with begun as draft:
        plan = training.Plan(
            recipe=chosen.recipe,
            preprocessing=dataset.preprocessing or chosen.recipe.preprocessing(dataset.domain),
            epochs=epochs,
            seed=seed,
            checkpoint=draft.path / "checkpoint.npz",
            fine_tune=source is not None,
            hardening=hardening,
        )
        training.make_deterministic(seed)
        model = _network(chosen, dataset, source, width)
        if lowbit is not None:
            model = _rewritten(model, lowbit, dataset, plan)
        train_accuracy = training.fit(model, dataset, split, plan, progress)
        test = plan.preprocessing.apply(dataset.inputs(dataset.test.x))
        test_accuracy = training.accuracy(model, test, dataset.test.y)
        save_keras(model, draft.path / "float.keras")
        plan.checkpoint.unlink()
        return draft.commit(
            TrainedContent(
                network=network,
                data=dataset.info,
                preprocessing=plan.preprocessing,
                epochs=epochs,
                train_accuracy=train_accuracy,
                test_accuracy=test_accuracy,
                lowbit=lowbit,
                hardening=hardening,
            )
        )


def _recipe(
    chosen: zoo.Network, dataset: Dataset, start: str | None, epochs: int, seed: int, **given: Any
) -> Recipe:
    """What the trained network depends on; of `given`, records and numbers, what is not None."""
    settings = {name: value for name, value in given.items() if value is not None}
    return Recipe(
        "trained",
        settings={
            "network": chosen.name,
            "epochs": epochs,
            "recipe": chosen.recipe.model_dump(mode="json"),
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


def _lowbit(weight_bits: int, act_bits: int, method: str, end_weight_bits: int | None) -> LowBit | None:
    """The widths, checked; None if all are real numbers."""
    from qbench.lowbit import schemes

    lowbit = LowBit(
        weight_bits=weight_bits, act_bits=act_bits, method=method, end_weight_bits=end_weight_bits
    )
    schemes.check(lowbit, schemes.METHODS)
    if not weight_bits == act_bits == FLOAT_BITS:
        return lowbit
    if method != _METHOD or end_weight_bits is not None:
        raise UserError(
            "a way to quantize is given, but all weights and activations are real numbers",
            hint="give --weight-bits or --act-bits, 1 to 8",
        )
    return None


def _hardening(adversarial: str | None, eps: float | None, steps: int, jacobian: float) -> Hardening | None:
    """What to do against adversarial inputs, checked; None if nothing."""
    if adversarial not in (None, "pgd"):
        raise UserError(f"there is no adversarial training with {adversarial!r}", hint="take pgd")
    if (adversarial is None) != (eps is None):
        raise UserError("adversarial training takes an attack and a budget", hint="give both, or neither")
    if steps < 1 or jacobian < 0 or (eps is not None and eps <= 0):
        raise UserError(
            "adversarial training needs a positive budget, a step or more, and no negative weight of the "
            "Jacobian",
            hint="for example eps 8/255 and 7 steps",
        )
    if adversarial is None:
        return Hardening(jacobian=jacobian) if jacobian else None
    return Hardening(attack="pgd", eps=eps or 0.0, steps=steps, jacobian=jacobian)


def _train_split(dataset: Dataset) -> Split:
    if dataset.train is None:
        raise UserError(
            f"{dataset.name} has no train split",
            cause="a lone folder, zip or npz is taken as test data",
            hint="give train/ and test/ folders, X-train.zip beside X-test.zip, or an npz with both",
        )
    return dataset.train


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


def _network(chosen: zoo.Network, dataset: Dataset, source: Path | None, width: int | None) -> keras.Model:
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


def _rewritten(model: keras.Model, lowbit: LowBit, dataset: Dataset, plan: training.Plan) -> keras.Model:
    """The network at low widths, its input on the grid of the data."""
    from qbench.lowbit.rewriting import input_range, rewrite

    return rewrite(model, lowbit, input_range(dataset.domain, plan.preprocessing))
