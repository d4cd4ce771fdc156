"""Word-level differences between a reference and an answer."""

import re
from dataclasses import dataclass
from typing import Literal

# Words with the white space after them, so that the parts joined together are the text again.
_WORD = re.compile(r"\s*\S+\s*|\s+")
# The time of a difference grows with the product of the lengths.
MOST_WORDS = 20_000


@dataclass(frozen=True)
class Change:
    """A part of the two texts: `same` is in both, `missing` only in the reference, `added` only in the answer."""

    kind: Literal["same", "missing", "added"]
    text: str


def word_diff(reference: str, answer: str) -> list[Change]:
    """The answer as changes to the reference, in reading order, a missing part before an added one.

    Words are compared without the white space around them, and a `same` part is shown as the answer has it. Each part
    ends with white space. What follows the first 20,000 words of either text is compared as one word.
    """
    from rapidfuzz.distance import Indel

    expected, given = _words(reference), _words(answer)
    operations = Indel.opcodes([word.strip() for word in expected], [word.strip() for word in given])
    changes: list[Change] = []
    missing = added = ""
    for operation in operations:
        after = "".join(given[operation.dest_start : operation.dest_end])
        if operation.tag == "equal":
            changes += _differing(missing, added)
            changes.append(Change("same", after))
            missing = added = ""
        else:
            missing += "".join(expected[operation.src_start : operation.src_end])
            added += after
    return [*changes, *_differing(missing, added)]


def _differing(missing: str, added: str) -> list[Change]:
    changes = (Change("missing", missing), Change("added", added))
    return [change for change in changes if change.text]


def _words(text: str) -> list[str]:
    words = _WORD.findall(text)
    if words and not words[-1][-1].isspace():
        words[-1] += " "
    rest = "".join(words[MOST_WORDS:])
    return [*words[:MOST_WORDS], rest] if rest else words
