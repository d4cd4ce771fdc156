"""Texts without what the QuAC protocol ignores, as fmeval compares them."""

import string

ARTICLES = frozenset({"a", "an", "the"})
DELIMITER = "<OR>"
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """Lower case, without ASCII punctuation, English articles and repeated spaces."""
    words = text.strip().lower().translate(_WITHOUT_PUNCTUATION).split(" ")
    return " ".join(word for word in words if word and word not in ARTICLES)


def accepted(reference: str) -> list[str]:
    """The answers that a reference accepts: one, or several with `<OR>` between them."""
    return reference.split(DELIMITER)
