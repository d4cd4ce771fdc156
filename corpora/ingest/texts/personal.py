"""Personal data and secrets in texts: reported for a decision, and masked on request.

A machine for many patterns at once (Hyperscan) tells which rows deserve a closer look; only those are read again, by
patterns that are exact and by the check digits of cards (Luhn) and accounts (ISO 13616).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import hyperscan

KINDS = {
    "email": "e-mail address",
    "phone": "phone number",
    "card": "payment card number",
    "iban": "bank account number (IBAN)",
    "secret": "key or password token",
}

_SECRETS = (
    r"sk-[A-Za-z0-9_-]{20,}",
    r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}",
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    r"gh[pousr]_[A-Za-z0-9]{36,}",
    r"github_pat_[A-Za-z0-9_]{22,}",
    r"glpat-[A-Za-z0-9_-]{20,}",
    r"xox[abprs]-[A-Za-z0-9-]{10,}",
    r"AIza[A-Za-z0-9_-]{35}",
    r"hf_[A-Za-z0-9]{30,}",
    r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+",
)
# Whatever stands before it; up to its end, or to the end of the text or to another hit.
_PRIVATE_KEY = r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^\0]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z|(?=\0))"
_PATTERNS = {
    "secret": re.compile("|".join((_PRIVATE_KEY, *(rf"(?<![A-Za-z0-9_-]){pattern}" for pattern in _SECRETS)))),
    "email": re.compile(r"[\w.+%-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?!\w)"),
    "iban": re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)", re.ASCII),
    "card": re.compile(r"(?<![\w.+-])\d{4}(?:[ -]?\d){9,15}(?![\w-])", re.ASCII),
    # International, or with an area code that is set apart: a bare run of digits is more often an order number.
    "phone": re.compile(
        r"(?<![\w.+/-])(?:(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?(?:\(\d{1,4}\)|\d{1,4})){2,6}"
        r"|\(?0?\d{2,4}\)?[ ./-]\d{3,4}[ .-]\d{3,4}(?:[ .-]\d{2,4})?)(?![\w/-])",
        re.ASCII,
    ),
}

# A text without any of these is not searched, since the patterns are slow.
_MARKS = {
    "secret": (
        "sk-", "sk_", "rk_", "pk_", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-",
        "xox", "AIza", "hf_", "eyJ", "-----BEGIN",
    ),
    "email": ("@",),
}  # fmt: skip

# One of them is part of every text that a pattern finds. Hyperscan makes one automaton of an expression, and one of
# these two is several times as large, and as slow, as the two together.
_SUSPICIOUS = (
    (
        rb"(\+|00)[1-9]([ ./()-]{0,3}\d){6}",
        rb"\d{3}[ .-]\d{3}",
        rb"\d{4}([ -]?\d){9}",
        rb"[A-Z]{2}\d\d ?[A-Z0-9]{4}",
    ),
    (
        rb"[A-Za-z0-9.+%_\x80-\xff-]@[A-Za-z0-9]",
        rb"sk-[A-Za-z0-9_-]{4}",
        rb"[srp]k_(live|test)_",
        rb"A[KS]IA[A-Z0-9]{4}",
        rb"gh[pousr]_[A-Za-z0-9]",
        rb"github_pat_",
        rb"glpat-",
        rb"xox[abprs]-",
        rb"AIza",
        rb"hf_[A-Za-z0-9]{8}",
        rb"eyJ[A-Za-z0-9_-]",
        rb"-----BEGIN",
        # NUL is not personal data, but it cannot be stored.
        rb"\\u0000",
    ),
)
TAKEN = "\0"
MAX_PASSES = 8
"""Number of passes. Data directly after another hit is found in the next pass."""


class Hit(NamedTuple):
    """Characters `start` to `end` of a text are personal data of a kind of `KINDS`."""

    kind: str
    start: int
    end: int


class Suspects:
    """Finds possible personal data in canonical JSON, at several gigabytes per second."""

    def __init__(self) -> None:
        self._databases = _compiled()

    def scan(self, text: Any) -> list[int]:
        """Offsets in bytes or a buffer of them, after which something suspicious ends; in no order."""
        ends: list[int] = []

        def note(pattern: int, start: int, end: int, flags: int, context: object) -> None:
            ends.append(end)

        for database in self._databases:
            database.scan(text, match_event_handler=note)
        return ends


@cache
def _compiled() -> tuple[hyperscan.Database, ...]:
    databases = []
    for expressions in _SUSPICIOUS:
        database = hyperscan.Database()
        database.compile(expressions=expressions, ids=list(range(len(expressions))), elements=len(expressions))
        databases.append(database)
    return tuple(databases)


def find_personal_data(text: str) -> list[Hit]:
    """Every hit in the text's order; none overlaps another, secrets and cards win over phone numbers."""
    found: list[Hit] = []
    for _ in range(MAX_PASSES):
        before = len(found)
        for kind in _PATTERNS:
            if kind in _MARKS and not any(mark in text for mark in _MARKS[kind]):
                continue
            hits = list(_find(kind, text))
            # What is found is nobody else's: neither a part of another hit nor beside one, as once it is masked.
            text = _replace(text, hits, lambda hit: TAKEN * (hit.end - hit.start))
            found += hits
        if len(found) == before:
            break
    return sorted(found, key=lambda hit: hit.start)


def mask(text: str, hits: Sequence[Hit]) -> str:
    """The text with each hit replaced by its kind, as in “[email]”."""
    return _replace(text, hits, lambda hit: f"[{hit.kind}]")


def _replace(text: str, hits: Sequence[Hit], replacement: Callable[[Hit], str]) -> str:
    parts: list[str] = []
    position = 0
    for hit in hits:
        parts += (text[position : hit.start], replacement(hit))
        position = hit.end
    return "".join((*parts, text[position:]))


def _find(kind: str, text: str) -> Iterator[Hit]:
    accept = _ACCEPT.get(kind, bool)
    position = 0
    while match := _PATTERNS[kind].search(text, position):
        found = match.group()
        # A number may stand among others, as a card's before its date. Of those that nothing marks, one cannot tell.
        is_marked = kind != "phone" or _INTERNATIONAL.match(found)
        while is_marked and found and not accept(found):
            found = found[: max(found.rfind(" "), found.rfind("-"), 0)]
        if found and accept(found):
            position = match.start() + len(found)
            yield Hit(kind, match.start(), position)
        else:
            position = match.start() + 1 if is_marked else match.end()


def _is_card(text: str) -> bool:
    digits = [int(character) for character in text if character.isdigit()]
    if len(digits) < 13 or len(set(digits)) == 1:
        return False
    doubled = (divmod(2 * digit, 10) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(map(sum, doubled))) % 10 == 0


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return 15 <= len(plain) <= 34 and int("".join(_digits(plain[4:] + plain[:4]))) % 97 == 1


def _digits(text: str) -> Iterator[str]:
    return (str(int(character, 36)) for character in text)


def _is_phone(text: str) -> bool:
    digits = sum(character.isdigit() for character in text)
    return 9 <= digits <= 15 and not _DATE.fullmatch(text)


_DATE = re.compile(r"\(?(?:19|20)\d\d\)?[ ./-]\d.*|\d\d[ ./-]\d\d[ ./-](?:19|20)\d\d.*")
_INTERNATIONAL = re.compile(r"\+|00[1-9]")
_ACCEPT: dict[str, Callable[[str], bool]] = {"card": _is_card, "iban": _is_iban, "phone": _is_phone}
