"""What the last answers of some rows have in common: are they labels, JSON, or lines of one form?"""

import re
from collections import Counter
from hashlib import blake2b

import msgspec

from corpora.ingest.contracts import AnswerProfile

PROSE = re.compile(r"[^|;:\t\n]+")
"""Everything but what separates the parts of a line."""


class Answers:
    """Takes answers one by one. The caller limits how many, for a hash of every different one is kept until the end."""

    def __init__(self) -> None:
        self._texts: set[bytes] = set()
        self._forms: Counter[bytes] = Counter()
        self._rows = self._json = self._longest = 0

    def add(self, answer: str) -> None:
        """Take the text of one answer. Empty ones, as of tool calls, say nothing about the others and don't count."""
        if not answer.strip():
            return
        self._rows += 1
        self._longest = max(self._longest, len(answer))
        # Labels are compared as evaluations compare them: case and white space don't tell them apart.
        self._texts.add(_hash(" ".join(answer.lower().split())))
        if _is_json(answer):
            self._json += 1
        else:
            form = PROSE.sub("", answer.strip())
            # Paragraphs and salutations break lines too.
            if form.strip("\n"):
                self._forms[_hash(form)] += 1

    def summary(self) -> AnswerProfile | None:
        """The summary; None if every answer was empty."""
        if not self._rows:
            return None
        return AnswerProfile(
            rows=self._rows,
            distinct=len(self._texts),
            longest=self._longest,
            json=self._json,
            same_form=max(self._forms.values(), default=0),
        )


def _hash(text: str) -> bytes:
    # An answer may have a megabyte. Lone surrogates are left as they are.
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _is_json(answer: str) -> bool:
    """Whether the whole answer is an object or a list."""
    if not answer.lstrip().startswith(("{", "[")):
        return False
    try:
        msgspec.json.decode(answer.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True
