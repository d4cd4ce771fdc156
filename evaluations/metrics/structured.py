"""Structured output: whether an answer is JSON, and how many of the reference's fields it has right."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from evaluations.metrics.base import Answers, PairMetric

Leaf = tuple[str | int, ...]
# Deeper JSON is refused instead of exhausting the stack.
DEEPEST = 100


class _JsonMetric(PairMetric):
    def unavailable(self, answers: Answers) -> str:
        reason = super().unavailable(answers)
        if not reason and not any(_structure(reference) is not None for reference in answers.references):
            return "No expected answer is a JSON object or list."
        return reason


class JsonValidity(_JsonMetric):
    """1 if the answer is a JSON object or list as it stands, without text or code fences around it."""

    name = "json_validity"
    title = "Valid JSON"
    note = "Share of answers that are JSON and nothing else, where the expected answer is JSON."

    def score(self, reference: str, answer: str) -> float | None:
        if _structure(reference) is None:
            return None
        return float(_structure(answer) is not None)


class FieldAccuracy(_JsonMetric):
    """Share of the fields of reference and answer together that are in both with the same value.

    Fields are the values at the ends, by their path; an empty object or list is a value. A missing field, a wrong
    value and an additional field each count as one error, and an answer that is not JSON scores 0.
    """

    name = "json_field_accuracy"
    title = "JSON field accuracy"
    note = "Share of fields with the right value; missing and additional fields count as wrong."

    def score(self, reference: str, answer: str) -> float | None:
        structure = _structure(reference)
        if structure is None:
            return None
        given = _structure(answer)
        if given is None:
            return 0.0
        expected, found = dict(_leaves(structure)), dict(_leaves(given))
        right = sum(path in found and _same(value, found[path]) for path, value in expected.items())
        return right / len(expected.keys() | found.keys())


def _structure(text: str) -> dict[str, Any] | list[Any] | None:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict | list) or _depth(value) > DEEPEST:
        return None
    return value


def _no_constant(name: str) -> None:
    """Python reads NaN and Infinity, which JSON has not."""
    raise ValueError(f"{name} is not JSON")


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [item for parent in level for item in _items(parent).values() if isinstance(item, dict | list)]
    return depth


def _items(value: Any) -> Mapping[str | int, Any]:
    if isinstance(value, dict):
        return value
    return dict(enumerate(value)) if isinstance(value, list) else {}


def _leaves(value: Any, path: Leaf = ()) -> Iterator[tuple[Leaf, Any]]:
    items = _items(value)
    if not items:
        yield path, value
    for key, item in items.items():
        yield from _leaves(item, (*path, key))


def _same(first: Any, second: Any) -> bool:
    """Equal as JSON: 1 equals 1.0, but neither equals true."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    return bool(first == second)
