"""Text from outside, such as the name of a device or class: plain where it comes in, harmless where shown."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

# Far longer than any name or sentence of qbench's own.
_LONGEST = 1000
_LONGEST_FILE_NAME = 80
_LONGEST_LABEL = 40
# Control and format characters, surrogates, private and unassigned ones, separators of lines and paragraphs.
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def plain(text: str, limit: int = _LONGEST) -> str:
    """One line of printable characters, `limit` at most: nothing that moves a cursor or turns the direction.

    Ends of lines and tabs become spaces, other characters that do not print the replacement character.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character in "\n\r\t":
        return " "
    return _REPLACEMENT if unicodedata.category(character) in _UNPRINTABLE else character


def clean(value: Any) -> Any:
    """The same value with every string in it, keys of dicts included, as `plain` makes it."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {clean(key): clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(clean, value)) if type(value) in (list, tuple) else value
    return value


def file_name(text: str) -> str:
    """A name that is one folder or file everywhere: letters, digits, `.`, `_` and `-`, the others as `-`."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", text)[:_LONGEST_FILE_NAME]
    return re.sub(r"^\.+|\.+$", "-", safe) or "-"


def shown(text: str) -> str:
    """A line for a terminal or a log of CI, whose runners take `::` and `##[` for commands."""
    return plain(text).replace("::", ": :").replace("##[", "## [")


def markdown(text: str) -> str:
    """Text in GitHub-flavoured Markdown, in a table's cell too: no markup, no link, no end of a cell."""
    escaped = re.sub(r"([\\|`*<])", r"\\\1", plain(text))
    return escaped.replace("](", "]\\(").replace("::", ": :")


def label(text: str) -> str:
    """Text in a picture: short enough, and shown in a legend, which hides what begins with `_`."""
    short = plain(text, _LONGEST_LABEL)
    return f" {short}" if short.startswith("_") else short
