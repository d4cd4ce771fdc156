"""What the last answers of some rows have in common: are they labels, JSON, or lines of one form?"""

import re
from collections import Counter

import msgspec

from corpora.ingest.contracts import AnswerProfile

PROSE = re.compile(r"[^|;:\t\n]+")
"""Everything but what separates the parts of a line."""


class Answers:
    """Takes answers one by one. The caller limits how many, for every different one is kept until the end."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._forms: Counter[str] = Counter()
        self._rows = self._json = self._longest = 0

    def add(self, answer: str) -> None:
        """Take the text of one answer."""
        self._rows += 1
        self._longest = max(self._longest, len(answer))
        # Labels are compared as evaluations compare them: case and white space don't tell them apart.
        self._texts.add(" ".join(answer.lower().split()))
        if _is_json(answer):
            self._json += 1
        elif form := PROSE.sub("", answer.strip()):
            self._forms[form] += 1

    def summary(self) -> AnswerProfile | None:
        """The summary; None without answers."""
        if not self._rows:
            return None
        return AnswerProfile(
            rows=self._rows,
            distinct=len(self._texts),
            longest=self._longest,
            json=self._json,
            same_form=max(self._forms.values(), default=0),
        )


def _is_json(answer: str) -> bool:
    """Whether the whole answer is an object or a list."""
    if not answer.lstrip().startswith(("{", "[")):
        return False
    try:
        msgspec.json.decode(answer.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True
