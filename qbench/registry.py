"""Things found by name: qbench's own, and those that other packages bring as entry points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeVar

from qbench.errors import EnvironmentLacks, UserError, unknown_name

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Things by name; those that are given as a place, `module:attribute`, are imported when asked for.

    Args:
        what: what a user calls the things, such as "analysis".
        group: of entry points through which an installed package adds its own.
        own: qbench's.
    """

    def __init__(self, what: str, group: str, own: Mapping[str, T | str]) -> None:
        self.what, self.group, self._own = what, group, dict(own)

    def __getitem__(self, name: str) -> T:
        return self._thing(self._all()[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._all()

    def place(self, name: str) -> str:
        """Where a thing is, `module:attribute`, of one that is given so."""
        return str(self._all()[name])

    def load(self, name: str) -> T:
        """The thing itself.

        Raises:
            UserError: there is none of that name; the nearest one is suggested.
            EnvironmentLacks: the package that offers it cannot be imported.
        """
        if name in self._own:
            return self._thing(self._own[name])
        found = self._all()
        if name not in found:
            raise unknown_name(self.what, name, found)
        try:
            return self._thing(found[name])
        except (ImportError, AttributeError) as error:
            raise EnvironmentLacks(
                f"the {self.what} {name!r} cannot be imported from {found[name]}",
                cause=str(error),
                hint="install the package that brings it again, or remove it",
            ) from error

    def _all(self) -> dict[str, T | str]:
        """Qbench's own first, then those of other packages.

        Raises:
            UserError: a package offers something under a name that is taken.
        """
        found = dict(self._own)
        for entry in entry_points(group=self.group):
            if found.setdefault(entry.name, entry.value) != entry.value:
                raise UserError(
                    f"two packages bring the {self.what} {entry.name!r}",
                    cause=f"{found[entry.name]} and {entry.value}",
                    hint="remove one of them",
                )
        return found

    def _thing(self, given: T | str) -> T:
        found: T = _attribute(given) if isinstance(given, str) else given
        return found


def _attribute(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)
