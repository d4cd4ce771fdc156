"""What alternatives to training that need no language model answer, and which examples one is shown."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evaluations.alternatives.likeness import BY_WORDS, Likeness, likeness_of
from evaluations.alternatives.training_rows import TrainingRow, TrainingRows
from evaluations.metrics.labels import not_labels

PROTOCOL = 1
"""Part of what identifies an answer; raise it when the same rows would give another one."""

EXAMPLES = 8
"""Training rows shown to the base, the nearest; fewer where they do not fit its context."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One alternative's answers by place, and the seconds that each took on average, its encoder's among them."""

    answers: list[str]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Alternatives:
    """What the training rows alone answer to some questions.

    `nearest` are the ids of the EXAMPLES nearest training rows by place, best first, and `similarities` how similar the
    first is, 0 to 1. `classified` is None where the answers are no labels. `sha256` identifies the rows and the
    likeness that all of it depends on.
    """

    likeness: str
    is_by_meaning: bool
    sha256: str
    nearest: list[list[str]]
    similarities: list[float]
    looked_up: Found
    classified: Found | None


def answer_from(training: TrainingRows, questions: Sequence[str]) -> Alternatives:
    """Answer each question from the training rows, of which there is at least one. Raises EncoderError."""
    rows = training.rows
    likeness = likeness_of([row.question for row in rows])
    started = time.perf_counter()
    nearest = likeness.nearest(questions, EXAMPLES)
    seconds = (time.perf_counter() - started) / max(len(questions), 1)
    return Alternatives(
        likeness=likeness.name,
        is_by_meaning=likeness.name != BY_WORDS,
        sha256=_sha256(rows, likeness),
        nearest=[[rows[place].id for place in places] for places in nearest.places],
        similarities=nearest.similarities,
        looked_up=Found(answers=[rows[places[0]].answer for places in nearest.places], seconds=seconds),
        classified=_classified(rows, likeness, questions),
    )


def _classified(rows: Sequence[TrainingRow], likeness: Likeness, questions: Sequence[str]) -> Found | None:
    answers = [row.answer for row in rows]
    if not_labels(answers):
        return None
    labels = [_label(answer) for answer in answers]
    # A label is answered as it is mostly written.
    written: dict[str, Counter[str]] = {}
    for label, answer in zip(labels, answers, strict=True):
        written.setdefault(label, Counter())[answer] += 1
    started = time.perf_counter()
    found = likeness.labels(questions, labels)
    seconds = (time.perf_counter() - started) / max(len(questions), 1)
    return Found(answers=[written[label].most_common(1)[0][0] for label in found], seconds=seconds)


def _label(answer: str) -> str:
    return " ".join(answer.lower().split())


def _sha256(rows: Sequence[TrainingRow], likeness: Likeness) -> str:
    digest = hashlib.sha256(json.dumps([PROTOCOL, EXAMPLES, likeness.name]).encode())
    for row in rows:
        digest.update(json.dumps([row.messages, row.tools], sort_keys=True).encode())
    return digest.hexdigest()
