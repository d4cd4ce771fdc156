"""Routing rules: which version of an alias answers a request. Pure functions, the same answer every time."""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class WeightedVersion:
    """A version with its share of the traffic; weights need not sum to anything."""

    version: str
    weight: float


@dataclass(frozen=True)
class KeywordRule:
    """Requests that mention one of the words go to a version."""

    keywords: tuple[str, ...]
    version: str


def pick_weighted(versions: Sequence[WeightedVersion], key: str) -> str:
    """Choose a version for a request key by weighted rendezvous hashing.

    The same key always gets the same version, and raising one version's weight moves keys to that version
    only. Raises ValueError when no version has a weight above 0.
    """
    live = [entry for entry in versions if entry.weight > 0]
    if not live:
        raise ValueError("no version has a weight above 0")
    return max(live, key=lambda entry: (rendezvous_score(entry, key), entry.version)).version


def rendezvous_score(entry: WeightedVersion, key: str) -> float:
    """-weight / ln(u), with u in (0, 1) by a hash of key and version (Schindelhauer, Schomaker 2005)."""
    digest = hashlib.sha256(f"{key}\0{entry.version}".encode()).digest()
    uniform = (int.from_bytes(digest[:7], "big") + 0.5) / 2**56
    return -entry.weight / math.log(uniform)


def match_keywords(rules: Sequence[KeywordRule], text: str) -> str | None:
    """The version of the first rule with a word that occurs in the text, whole and in any case."""
    for rule in rules:
        for keyword in rule.keywords:
            if re.search(rf"(?<!\w){re.escape(keyword)}(?!\w)", text, re.IGNORECASE):
                return rule.version
    return None


def choose_version(rules: Sequence[KeywordRule], versions: Sequence[WeightedVersion], *, key: str, text: str) -> str:
    """Keyword rules first, weights for everything else."""
    return match_keywords(rules, text) or pick_weighted(versions, key)
