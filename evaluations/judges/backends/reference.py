"""A judge without a language model: it compares the answer with the reference by a fixed rubric.

Three criteria: completeness (the reference's facts are there), nothing added (no facts of its own), form (the same
words in the same order). Facts are names, numbers and dates, and in a short reference every word that carries
meaning; a fact that is missing while another stands in its place is the worst case. It cannot tell a good
paraphrase from a bad one, and says so in its label.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evaluations.judges.backends.base import HIGHEST, LOWEST, Judge, Verdict, mean
from evaluations.judges.backends.usage import NOTHING
from evaluations.judges.prompts import Better, Choice, GradePrompt, PairPrompt, Prompt

# A word keeps what belongs to it: $1,200, 14:30, AB-4821, 12%.
WORD = re.compile(r"[$€£]?\w+(?:[.,:/'’\-]\w+)*%?")
SHORT_REFERENCE_WORDS = 20
NEGATIONS = frozenset({"no", "not", "nor", "never"})
FACT_WEIGHT = 3
SHOWN = 5


class ReferenceJudge(Judge):
    """5: same words in the same order; 4: all facts, other wording; 3: something missing or added; 2: a wrong fact
    or much extra text; 1: little or nothing of what was expected."""

    label = "Reference grader (no LLM; compares with the expected answer)"
    is_llm = False

    def ask(self, prompt: Prompt) -> Verdict:
        choice, reason = self._choice(prompt)
        only: dict[Choice, float] = {choice: 1.0}
        return Verdict(score=mean(only, prompt), distribution=only, basis="rule", reason=reason, raw=(), usage=NOTHING)

    def _choice(self, prompt: Prompt) -> tuple[Choice, str]:
        if isinstance(prompt, PairPrompt):
            return compared(prompt.reference, prompt.first, prompt.second)
        if not isinstance(prompt, GradePrompt):
            raise TypeError(f"no rule for a {type(prompt).__name__}")
        score, reason = graded(prompt.reference, prompt.answer)
        share = (score - LOWEST) / (HIGHEST - LOWEST)
        # Its grades are of 1 to 5 whatever the criterion, so another scale gets the nearest of its own.
        return round(prompt.lowest + share * (prompt.highest - prompt.lowest)), reason


def compared(reference: str, first: str, second: str) -> tuple[Better, str]:
    """Which of two answers has the higher grade, and the reason."""
    (one, one_reason), (other, other_reason) = graded(reference, first), graded(reference, second)
    better: Better = "first" if one > other else "second" if other > one else "tie"
    return better, f"First, {one:g} of 5: {one_reason} Second, {other:g} of 5: {other_reason}"


def graded(reference: str, answer: str) -> tuple[float, str]:
    """The grade of an answer from 1 to 5, and the reason."""
    if not answer.strip():
        return 1.0, "The answer is empty."
    expected, given = WORD.findall(reference), WORD.findall(answer)
    if expected == given and (expected or reference.strip() == answer.strip()):
        return 5.0, "Same words as expected, in the same order."
    comparison = compare(expected, given)
    return grade(comparison), explain(comparison)


@dataclass(frozen=True)
class Comparison:
    """Shares (0..1) of the reference in the answer and of the answer in the reference, and the wrong facts."""

    completeness: float
    precision: float
    missing: tuple[str, ...]
    added: tuple[str, ...]


def compare(expected: Sequence[str], given: Sequence[str]) -> Comparison:
    """Compare two lists of words, ignoring case and order."""
    every_word = len(expected) <= SHORT_REFERENCE_WORDS
    wanted, found = _count(expected), _count(given)
    words = {*expected, *given}
    facts = {word.casefold() for word in words if is_fact(word, every_word=every_word)}
    # "The" at the start of a sentence is no name if "the" occurs too.
    facts -= {word for word in words if not is_fact(word, every_word=every_word)}
    weight = Counter({word: FACT_WEIGHT if word in facts else 1 for word in wanted | found})

    def total(words: Counter[str]) -> int:
        return sum(count * weight[word] for word, count in words.items())

    common = total(wanted & found)
    spelling = {word.casefold(): word for word in (*given, *expected)}
    return Comparison(
        completeness=common / total(wanted) if wanted else 0.0,
        precision=common / total(found) if found else 0.0,
        missing=tuple(spelling[word] for word in wanted - found if word in facts),
        added=tuple(spelling[word] for word in found - wanted if word in facts),
    )


def is_fact(word: str, *, every_word: bool) -> bool:
    """A number, a name, a negation; with `every_word` also any other word of four letters or more."""
    if any(character.isdigit() or character.isupper() for character in word):
        return True
    return word in NEGATIONS or (every_word and len(word) > 3)


def grade(comparison: Comparison) -> float:
    """The rubric's grade of an answer that differs from the expected one."""
    if comparison.completeness < 0.4:
        return 1.0
    if comparison.precision < 0.6 or (comparison.missing and comparison.added):
        return 2.0
    if comparison.missing or comparison.added or comparison.completeness < 0.75:
        return 3.0
    return 4.0


def explain(comparison: Comparison) -> str:
    """The reason in plain words, with the first wrong facts."""
    parts = []
    if comparison.missing:
        parts.append(f"Missing: {_listed(comparison.missing)}.")
    if comparison.added:
        parts.append(f"Not in the expected answer: {_listed(comparison.added)}.")
    return " ".join(parts) or "Same facts; the wording or form differs."


def _count(words: Sequence[str]) -> Counter[str]:
    return Counter(word.casefold() for word in words)


def _listed(words: Sequence[str]) -> str:
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")
