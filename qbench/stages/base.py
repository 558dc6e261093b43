"""A stage as one function from folders to a folder: leading arguments, then options by name."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Signature, signature
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from qbench.options import RunOptions, checked, described, signature_of

O = ParamSpec("O")  # noqa: E741 - the options
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
R = TypeVar("R")
OptionsT = TypeVar("OptionsT", bound=RunOptions)


class Stage:
    """A function `(*folders, **options) -> Artifact`, and what is known of it.

    Args:
        function: takes the leading arguments, and the checked record of options last.
        record: of the options.

    Attributes:
        options: the record.
        leading: names of the leading arguments.
    """

    def __init__(self, function: Callable[..., Any], record: type[RunOptions]) -> None:
        self._function, self.options = function, record
        self.leading = tuple(signature(function).parameters)[:-1]
        self.__name__, self.__module__ = function.__name__, function.__module__
        self.__doc__ = f"{function.__doc__}\n\nOptions:\n{described(record)}"

    @property
    def __signature__(self) -> Signature:
        """For editors and `help`."""
        return signature_of(self.options, *self.leading)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Check the options and call the function.

        Raises:
            UserError: an option is unknown, missing, or out of its bounds.
        """
        given = dict(zip(self.leading, arguments, strict=False))
        given |= {name: named.pop(name) for name in self.leading if name in named}
        lacking = [name for name in self.leading if name not in given]
        if lacking or len(arguments) > len(self.leading):
            raise TypeError(f"{self.__name__} takes {', '.join(self.leading)}, then options by name")
        return self._function(*(given[name] for name in self.leading), checked(self.options, named))


if TYPE_CHECKING:

    class Stage2(Stage, Generic[A, B, O, R]):
        """A stage with two leading arguments."""

        def __call__(self, a: A, b: B, /, *args: O.args, **options: O.kwargs) -> R:
            """Call it."""

    class Stage3(Stage, Generic[A, B, C, O, R]):
        """A stage with three."""

        def __call__(self, a: A, b: B, c: C, /, *args: O.args, **options: O.kwargs) -> R:
            """Call it."""

    class Stage4(Stage, Generic[A, B, C, D, O, R]):
        """A stage with four."""

        def __call__(self, a: A, b: B, c: C, d: D, /, *args: O.args, **options: O.kwargs) -> R:
            """Call it."""


class stage(Generic[O, OptionsT]):  # noqa: N801 - a decorator
    """Make a stage of a function whose last argument is a record of options.

    Args:
        record: of the options.
    """

    def __init__(self, record: Callable[O, OptionsT]) -> None:
        self._record: Any = record

    @overload
    def __call__(self, function: Callable[[A, B, OptionsT], R]) -> Stage2[A, B, O, R]: ...
    @overload
    def __call__(self, function: Callable[[A, B, C, OptionsT], R]) -> Stage3[A, B, C, O, R]: ...
    @overload
    def __call__(self, function: Callable[[A, B, C, D, OptionsT], R]) -> Stage4[A, B, C, D, O, R]: ...
    def __call__(self, function: Callable[..., Any]) -> Any:
        """The stage."""
        return Stage(function, self._record)
