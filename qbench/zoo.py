"""Finds and builds the networks in models/: an architecture, a recipe and a README each."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from qbench.artifacts import Domain, Preprocessing, sha256_of
from qbench.artifacts.base import Record
from qbench.errors import UserError, unknown_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    import keras


class Augmentation(Record):
    """Random changes of training images: shifts by up to `shift` pixels, horizontal flips."""

    shift: int
    flip: bool


class TrainingRecipe(Record):
    """How a network is trained: Adam, its learning rate decayed to zero on a cosine.

    Attributes:
        data: the data set that the recipe was made for.
        input_range: what the network expects of the domain's low and high end.
        width: the default of a network that comes in several widths; None for one that does not.
        reconstructs: whether it is an autoencoder, which learns to give normal inputs (label 0) back.
    """

    description: str
    data: str
    input_range: tuple[float, float]
    epochs: int
    batch_size: int
    learning_rate: float
    augmentation: Augmentation
    width: int | None = None
    reconstructs: bool = False

    def preprocessing(self, domain: Domain) -> Preprocessing:
        """The affine map of a bounded domain onto `input_range`; features stay as they are."""
        if domain.name == "features":
            return Preprocessing()
        low, high = self.input_range
        scale = (high - low) / (domain.high - domain.low)
        return Preprocessing(scale=scale, offset=low - domain.low * scale)


@dataclass(frozen=True)
class ZooNetwork:
    """A folder of models/."""

    name: str
    path: Path
    recipe: TrainingRecipe

    @property
    def sha256(self) -> str:
        """Hash of the architecture's source."""
        return sha256_of(self.path / "model.py")

    def build(self, input_shape: tuple[int, ...], classes: int, width: int | None = None) -> keras.Model:
        """The untrained network; takes [n, *input_shape] float32, returns logits [n, classes], or its input.

        Args:
            input_shape: of one input.
            classes: how many scores.
            width: in place of the recipe's, for a network that comes in several.

        Raises:
            UserError: the network cannot take such inputs, or has no width to choose.
        """
        if width is not None and self.recipe.width is None:
            raise UserError(
                f"network {self.name!r} comes in one width only", hint="leave --width out, or take study-cnn"
            )
        spec = importlib.util.spec_from_file_location(
            f"qbench_models.{self.name.replace('-', '_')}", self.path / "model.py"
        )
        if spec is None or spec.loader is None:
            raise UserError(f"{self.path / 'model.py'} cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        try:
            wide = {} if self.recipe.width is None else {"width": width or self.recipe.width}
            model: keras.Model = module.build(input_shape, classes, **wide)
        except ValueError as error:
            raise UserError(
                f"network {self.name!r} cannot take inputs of shape {input_shape}",
                cause=str(error).splitlines()[0],
                hint=f"it was made for {self.recipe.data}",
            ) from error
        return model


def models_folder() -> Path:
    """Where the networks lie: inside an installed package, or beside it in the repository."""
    package = Path(__file__).parent
    inside = package / "models"
    return inside if inside.is_dir() else package.parent / "models"


def networks() -> dict[str, ZooNetwork]:
    """Every network of models/, by name."""
    return {path.parent.name: _load(path) for path in sorted(models_folder().glob("*/recipe.toml"))}


def find_network(name: str) -> ZooNetwork:
    """The network of that name.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    known = networks()
    if name not in known:
        raise unknown_name("network", name, known)
    return known[name]


def _load(recipe: Path) -> ZooNetwork:
    try:
        parsed = TrainingRecipe.model_validate(tomllib.loads(recipe.read_text()))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise UserError(f"{recipe} is not a recipe", cause=str(error)) from error
    return ZooNetwork(recipe.parent.name, recipe.parent, parsed)
