"""The language of a text."""

import pycld2

LONGEST = 2_000
"""Characters of a text that are looked at."""

UNKNOWN = "un"

NAMES = {code.partition("-")[0]: name.replace("_", " ").title() for name, code in reversed(pycld2.LANGUAGES)}


def language_of(text: str) -> str:
    """ISO 639-1 code of a text's main language, or `un` if it is too short to tell."""
    text = " ".join(text[:LONGEST].split())
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    try:
        reliable, _, details = pycld2.detect(text.encode("utf-8", "ignore"), bestEffort=True)
    except pycld2.error:
        return UNKNOWN
    code: str = details[0][1]
    return code.partition("-")[0] if reliable else UNKNOWN


def language_name(code: str) -> str:
    """The English name of a language, or its code."""
    return "Unknown" if code in (UNKNOWN, "unknown") else NAMES.get(code, code)
