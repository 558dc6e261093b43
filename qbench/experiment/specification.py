"""What an experiment's TOML file may say, and the networks and attacks that its entries stand for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from pydantic import BeforeValidator, Field, JsonValue, create_model, model_validator

from qbench.artifacts.base import Record
from qbench.errors import UserError
from qbench.options import Options, settable
from qbench.stages.attack.options import AttackOptions
from qbench.stages.export.options import ExportOptions
from qbench.stages.train.options import TrainOptions

T = TypeVar("T")
EntryT = TypeVar("EntryT", "NetworkKeys", "AttackKeys", "StudyEntry")


def _several(value: Any) -> Any:
    """A lone value as a list of one."""
    return value if isinstance(value, list) else [value]


def _device(value: Any) -> Any:
    """`qemu:BOARD` names its board; another port does not."""
    if not isinstance(value, str):
        return value
    if not value.startswith("qemu:"):
        raise ValueError(f'{value!r} does not name its board: write {{ board = "...", port = {value!r} }}')
    return {"board": value.removeprefix("qemu:"), "port": value}


# A key that may hold a list: the entry then stands for one network or attack a value.
Axis = Annotated[tuple[T, ...], BeforeValidator(_several)]
Bits = Annotated[int, Field(ge=1, le=32)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]


class General(Record):
    """[experiment]: `out` is out/NAME if not given; `threads` is what each task gets."""

    name: str
    out: str | None = None
    seed: Seed = 0
    threads: Count = 1


class Data(Record):
    """[data]: what `--data` takes; `count` inputs for each attack that does not say its own."""

    name: str
    count: Count | None = None


NETWORK_AXES = ("epochs", "width", "bits", "weight_bits", "act_bits", "end_weight_bits", "method", "seed")
ATTACK_AXES = ("surrogate", "seed")


def _keys_of(options: type[Options], axes: Collection[str], without: Collection[str] = ()) -> dict[str, Any]:
    """The keys of an entry for a stage's options, none of them required; those of `axes` may hold lists."""
    found: dict[str, Any] = {}
    for name in (*settable(options), "seed"):
        field = options.model_fields[name]
        kind: Any = Annotated[(field.annotation, *field.metadata, None)]
        if name not in without:
            found[name] = (Axis[kind], ()) if name in axes else (kind | None, None)
    return found


class _Entry(Record):
    """An entry whose keys are, beside its own, the options of stages.

    Attributes:
        axes: the keys that may hold lists.
    """

    axes: ClassVar[tuple[str, ...]]

    def given_options(self, options: type[Options]) -> dict[str, Any]:
        """The options of a stage that the file says, each with one value."""
        found = {name: self.value(name) for name in settable(options)}
        return {name: value for name, value in found.items() if value is not None}

    def value(self, name: str) -> Any:
        """A key's value, of a list the only one; None if the file does not say it."""
        value = getattr(self, name, None)
        if name not in self.axes:
            return value
        return value[0] if value else None


class NetworkKeys(_Entry):
    """[[network]]: networks of models/ to train, or one trained already.

    Its other keys are the options of `qbench train` and `qbench export`.

    Attributes:
        name: with the keys that vary in braces: `w{weight_bits}a{act_bits}`.
        model: one of models/, which is trained.
        file: a trained network in place of `model`.
        data: in place of [data]'s.
        bits: the same for weights and activations, in place of both.
        runtimes: in place of [replay]'s.
    """

    axes = NETWORK_AXES

    name: str
    model: str | None = None
    file: str | None = None
    data: str | None = None
    bits: Axis[Bits] = ()
    runtimes: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> NetworkKeys:
        if (self.model is None) == (self.file is None):
            raise ValueError("give either model, to train one of models/, or file, a trained network")
        if self.bits and (self.value("weight_bits") or self.value("act_bits")):
            raise ValueError("give either bits, or weight_bits and act_bits")
        return self


class AttackKeys(_Entry):
    """[[attack]]: the options of `qbench attack`, against every network or those of `networks`.

    Attributes:
        attack: as `qbench attacks` lists it; `name` if not given.
        settings: the attack's own.
    """

    axes = ATTACK_AXES

    name: str
    attack: str | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    networks: tuple[str, ...] | None = None

    @property
    def method(self) -> str:
        """The attack's name among the attacks and presets."""
        return self.attack or self.name


if TYPE_CHECKING:
    NetworkEntry = NetworkKeys
    AttackEntry = AttackKeys
else:
    NetworkEntry = create_model(
        "NetworkEntry",
        __base__=NetworkKeys,
        **_keys_of(TrainOptions, NETWORK_AXES),
        **_keys_of(ExportOptions, (), ("seed",)),
    )
    AttackEntry = create_model(
        "AttackEntry", __base__=AttackKeys, **_keys_of(AttackOptions, ATTACK_AXES, ("attack",))
    )


class StudyEntry(Record):
    """[[study]]: an analysis over the networks and attacks, all or those that are named.

    Attributes:
        analysis: as `qbench study` lists it; `name` if not given.
        settings: its options.
    """

    name: str
    analysis: str | None = None
    networks: tuple[str, ...] | None = None
    attacks: tuple[str, ...] | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The analysis' name among the analyses."""
        return self.analysis or self.name


class Device(Record):
    """A board, and the port that it answers at; `qemu:BOARD` is an emulated one."""

    board: str
    port: str


class Replay(Record):
    """[replay]: runtimes (all that fit if none is named), devices, and whether inputs are transferred."""

    runtimes: tuple[str, ...] = ()
    devices: tuple[Annotated[Device, BeforeValidator(_device)], ...] = ()
    transfer: bool = False


class Specification(Record):
    """An experiment's file."""

    experiment: General
    data: Data
    network: tuple[NetworkEntry, ...]
    attack: tuple[AttackEntry, ...] = ()
    replay: Replay = Replay()
    study: tuple[StudyEntry, ...] = ()

    @property
    def out(self) -> str:
        """The folder of the run."""
        return self.experiment.out or f"out/{self.experiment.name}"

    def networks(self) -> list[NetworkKeys]:
        """Every network, each key holding one value at most.

        Raises:
            UserError: two have the same name.
        """
        return _name_entries(self.network, NETWORK_AXES)

    def attacks(self) -> list[AttackKeys]:
        """Every attack, likewise."""
        return _name_entries(self.attack, ATTACK_AXES)

    def studies(self) -> list[StudyEntry]:
        """Every analysis, likewise."""
        return _name_entries(self.study, ())


def folder_name(text: str) -> str:
    """A name that a folder can have: `lifted:ste` is `lifted-ste`."""
    return re.sub(r"[^\w.+=]+", "-", text).strip("-.")


def _name_entries(entries: tuple[EntryT, ...], axes: tuple[str, ...]) -> list[EntryT]:
    found = [each for entry in entries for each in _expand(entry, axes)]
    names: set[str] = set()
    for each in found:
        if not each.name or each.name in names:
            raise UserError(
                f"two entries are called {each.name!r}" if each.name else "an entry has no name",
                cause="a name is a folder's: characters other than letters, digits and _.+= become -",
                hint='put the keys that vary into the name: name = "w{weight_bits}a{act_bits}"',
            )
        names.add(each.name)
    return found


def _expand(entry: EntryT, axes: tuple[str, ...]) -> Iterator[EntryT]:
    """One entry a combination of the values of its lists."""
    several = {axis: values for axis in axes if (values := getattr(entry, axis))}
    for values in itertools.product(*several.values()):
        chosen = dict(zip(several, values, strict=True))
        try:
            name = folder_name(entry.name.format(**chosen))
        except (KeyError, IndexError, ValueError) as error:
            raise UserError(
                f"the name {entry.name!r} cannot be filled in: {error}",
                hint=f"braces may hold {', '.join(several) or 'nothing here'}",
            ) from error
        one: dict[str, Any] = {axis: (value,) for axis, value in chosen.items()}
        if isinstance(entry, AttackKeys) and entry.attack is None:
            one["attack"] = entry.name
        yield entry.model_copy(update={"name": name, **one})
