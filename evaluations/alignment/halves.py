"""Which answers may become examples, and which measure. Pure.

The half of an answer follows from its row's prompt alone, so that nobody draws again until it looks good, and no
example is ever about a prompt that measures, whichever judge, rubric or evaluation it is.
"""

from collections.abc import Sequence
from hashlib import sha256

from evaluations.agreement.labels import Label


def measures(cluster: str) -> bool:
    """Whether rows of this cluster measure; the others may become examples."""
    # Splits of datasets go by hashes of prompts too: with a word before it, this hash has nothing to do with theirs.
    return sha256(f"alignment:{cluster}".encode()).digest()[0] % 2 == 1


def in_order(labels: Sequence[Label]) -> list[Label]:
    """By a hash of their rows, so that the first ones are a random sample that does not change."""
    return sorted(labels, key=lambda one: (sha256(f"order:{one.cluster}".encode()).digest(), str(one.answer)))
