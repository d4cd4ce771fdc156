"""Pairs of all the lengths that customers have: labels, sentences, and texts of several lines."""

import random

SYLLABLES = [
    "an",
    "be",
    "con",
    "der",
    "en",
    "fi",
    "gra",
    "hol",
    "in",
    "jo",
    "ka",
    "lum",
    "mer",
    "no",
    "pre",
    "qui",
    "so",
    "ver",
]
ENDINGS = ["", "", "", "s", "ing", "ed", "ation", "ly", "ment", "é"]


def make_pairs(count: int) -> list[tuple[str, str]]:
    """(expected answer, answer); the same for the same count. Three words in ten of an answer differ."""
    rng = random.Random(12)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 3))) + rng.choice(ENDINGS) for _ in range(6000)]
    pairs = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.3:
            reference = " ".join(_words(rng, words, rng.randint(1, 3)))
        else:
            lines = rng.randint(1, 3) if kind < 0.8 else rng.randint(4, 8)
            separator = " " if kind < 0.8 else "\n"
            reference = separator.join(_sentence(rng, words) for _ in range(lines))
        pairs.append((reference, _answer(rng, words, reference)))
    return pairs


def _words(rng: random.Random, words: list[str], count: int) -> list[str]:
    # Few words are common and most are rare, as in any language.
    return [words[int(len(words) * rng.random() ** 3)] for _ in range(count)]


def _sentence(rng: random.Random, words: list[str]) -> str:
    chosen = _words(rng, words, rng.randint(6, 24))
    if len(chosen) > 12:
        chosen[6] += ","
    return " ".join(chosen).capitalize() + rng.choice([".", ".", "?", " (12.50)."])


def _answer(rng: random.Random, words: list[str], reference: str) -> str:
    lines = []
    for line in reference.split("\n"):
        kept = [word for word in line.split(" ") if rng.random() > 0.1]
        lines.append(" ".join(word if rng.random() > 0.2 else _words(rng, words, 1)[0] for word in kept))
    return "\n".join(lines)
