"""The names that people give to things: one line of visible characters."""

import unicodedata

from rest.errors import PortalError

BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's Bidi_Control: they reorder what stands around the name, so that it reads as another."""

LINE_BREAKS_AND_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})


class InvalidName(PortalError):
    """The name contains a line break, or a character that is not seen."""

    code = "name:invalid_character"

    def __init__(self, char: str, *, field: str) -> None:
        kind = "a line break" if char in "\n\r\u2028\u2029" else f"an invisible character (U+{ord(char):04X})"
        super().__init__(f"The name contains {kind}. Remove it and try again.", field=field)


def check_name(name: str, *, field: str = "name") -> str:
    """The name without white space around it. Raises InvalidName, which names the input `field`."""
    name = name.strip()
    for char in name:
        if _is_hidden(char):
            raise InvalidName(char, field=field)
    return name


def visible(text: str) -> str:
    """A name that a machine gave, such as a file's, with a space for each character that `check_name` refuses."""
    return "".join(" " if _is_hidden(char) else char for char in text)


def _is_hidden(char: str) -> bool:
    return char in BIDI_CONTROLS or unicodedata.category(char) in LINE_BREAKS_AND_CONTROLS
