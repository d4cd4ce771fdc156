"""What the head of a grid says of each model, stored when its answers are scored, since it takes all of them."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from evaluations.models import Answer
from lorakit.stats import Interval, clopper_pearson_interval, cluster_interval


def facts_of(answers: Sequence[Answer], prompts: Sequence[str]) -> dict[str, Any]:
    """What is known of a model's scored answers, each with its prompt.

    {answered, failed, right, wrong, low, high, prompt_tokens, tokens, examples, seconds}: `low` to `high` is the 95%
    interval of exact match, over prompts where rows repeat one; the last four are means. None where there is nothing to
    say it from. Rows that `failed` have an empty answer and count as wrong.
    """
    right = sum(answer.is_right is True for answer in answers)
    wrong = sum(answer.is_right is False for answer in answers)
    interval = interval_of([answer.is_right for answer in answers], prompts)
    return {
        "answered": len(answers),
        "failed": sum(bool(answer.error) for answer in answers),
        "right": right,
        "wrong": wrong,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "prompt_tokens": _mean(answer.prompt_tokens for answer in answers),
        "tokens": _mean(answer.completion_tokens for answer in answers),
        "examples": _mean(answer.examples for answer in answers),
        "seconds": _mean(answer.seconds for answer in answers),
    }


def interval_of(passes: Sequence[bool | None], prompts: Sequence[str]) -> Interval | None:
    """The 95% interval of the share of rows that pass, over prompts where rows repeat one; None without any."""
    groups: dict[str, list[int]] = {}
    for is_right, prompt in zip(passes, prompts, strict=True):
        if is_right is not None:
            groups.setdefault(prompt, []).append(is_right)
    rows = sum(map(len, groups.values()))
    if rows and len(groups) == rows:
        return clopper_pearson_interval(sum(map(sum, groups.values())), rows)
    if len(groups) > 1:
        sums, sizes = [sum(group) for group in groups.values()], [len(group) for group in groups.values()]
        return cluster_interval(sums, sizes, low=0.0, high=1.0).interval()
    return None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
