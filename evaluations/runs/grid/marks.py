"""Answers with the words marked in which they differ from the expected one."""

from dataclasses import dataclass
from itertools import accumulate

from django.utils.html import escape
from django.utils.safestring import SafeString

from evaluations.metrics.changes import Change, word_diff

IN_A_CELL = 300
"""Characters of a text that the grid shows; the row's own view has all."""

MOST_COMPARED = 20_000
"""Characters of longer texts are shown without marks in the grid, where many are compared at once."""


def _tag(name: str, before: str) -> str:
    """Screen readers hear what others see; the space lets a line break between two marks."""
    said = '<span class="visually-hidden">{}</span>'
    return f"<{name}>{said.format(before)}{{}}{said.format(' (end)')}</{name}> "


TAGS = {"same": "{}", "missing": _tag("del", "missing: "), "added": _tag("ins", "added: ")}


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A text in parts. `is_cut` says that more follows; `has_marks` that at least one part differs."""

    parts: list[Change]
    is_cut: bool
    has_marks: bool

    @property
    def html(self) -> SafeString:
        """The parts as they are read and seen; a page draws hundreds, each faster here than in a template."""
        drawn = "".join(TAGS[part.kind].format(escape(part.text)) for part in self.parts)
        return SafeString(f"{drawn}…" if self.is_cut else drawn)


def marked(reference: str, answer: str, *, most: int = IN_A_CELL) -> Marked:
    """The answer with its differences, at most `most` characters.

    Texts without a word in common have no marks: everything would be marked.
    """
    plain = [Change("same", answer)] if answer else []
    if answer == reference or max(len(answer), len(reference)) > max(most, MOST_COMPARED):
        return _cut(plain, most)
    parts = word_diff(reference, answer)
    has_common = any(part.kind == "same" and part.text.strip() for part in parts)
    return _cut(parts if has_common else plain, most)


def _cut(parts: list[Change], most: int) -> Marked:
    ends = list(accumulate(len(part.text) for part in parts))
    kept = [
        Change(part.kind, part.text[: most - (end - len(part.text))])
        for part, end in zip(parts, ends, strict=True)
        if end - len(part.text) < most
    ]
    return Marked(
        parts=kept, is_cut=bool(ends) and ends[-1] > most, has_marks=any(part.kind != "same" for part in kept)
    )
