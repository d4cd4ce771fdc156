"""Texts and keywords in one form, in which bytes decide where a word begins and ends.

Case is folded as Unicode has it, so that STRASSE is straße; accents stay. Of what is not ASCII, only letters, digits
and marks are left within words; punctuation and symbols stand apart. So do scripts without spaces between words, and a
keyword in one of them is found anywhere.
"""

import re
from unicodedata import category, normalize

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_TO_FOLD = re.compile(rf"[{_UNSPACED}]+|[^\w\x00-\x7f]")
_ENDS_APART = re.compile(rf"[{_UNSPACED}]")
_PLAIN = {"‘": "'", "’": "'", "\u2010": "-", "\u2011": "-"}
"""What people and their phones write for these characters of ASCII."""

_EDGE = rb"[^\w\x80-\xff]"


def folded(text: str) -> bytes:
    """The text as keywords are sought in it, with a space at each end."""
    text = normalize("NFC", text.casefold())
    if not text.isascii():
        text = _TO_FOLD.sub(_fold, text)
    return b" %b " % text.encode("utf-8", "replace")


def keyword_expression(keyword: str) -> bytes:
    """The expression over bytes that finds a keyword in a folded text. The keyword has a visible character."""
    words = folded(keyword).split()
    first, last = words[0].decode()[0], words[-1].decode()[-1]
    phrase = rb"\s+".join(b"".join(b"\\x%02x" % byte for byte in word) for word in words)
    return (_EDGE if _is_of_word(first) else b"") + phrase + (_EDGE if _is_of_word(last) else b"")


def _is_of_word(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character == "_"
    return _ENDS_APART.match(character) is None


def _fold(found: re.Match[str]) -> str:
    text = found.group()
    if text in _PLAIN:
        return _PLAIN[text]
    kind = category(text[0])[0]
    if kind == "M" and not _ENDS_APART.match(text):
        return text
    return " " if kind in "ZC" else f" {text} "
