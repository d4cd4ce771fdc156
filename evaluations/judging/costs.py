"""What a judging will take, before it begins, and what it took."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db.models import Count, Sum

from evaluations.judges.backends.usage import Price, Usage
from evaluations.judges.prompts import Prompt
from evaluations.judging import queries
from evaluations.judging.asking import CHUNK
from evaluations.judging.jurors import Juror
from evaluations.judging.plan import Plan, Row, numbered
from evaluations.models import Verdict

MOST_CHARACTERS, FEWEST_CHARACTERS = 5.0, 3.0
"""Of a token: English prose has more than four, code and other languages fewer."""
SHORT_REPLY, LONG_REPLY = 30, 150
"""Tokens of a reply: JSON with one or two sentences."""


@dataclass(frozen=True, kw_only=True)
class Range:
    low: int
    high: int


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What one judge will be asked. `cached` of the `questions` have a verdict already and cost nothing.

    Tokens are guessed from characters, three to five for a token, and 30 to 150 tokens a reply; failed calls that are
    made again come on top. `usd` is None if no price is set.
    """

    questions: int
    cached: int
    calls: Range
    tokens_in: Range
    tokens_out: Range
    usd: tuple[Decimal, Decimal] | None


def estimate(juror: Juror, plan: Plan, rows: Iterable[Row], *, of: int | None = None) -> Estimate:
    """Of `rows`, or of `of` rows of which these are a sample. Without answers yet, give rows of `expected`."""
    (found,) = estimates([juror], plan, rows, of=of)
    return found


def estimates(jury: Sequence[Juror], plan: Plan, rows: Iterable[Row], *, of: int | None = None) -> list[Estimate]:
    """The same for each judge. Prompts, which take most of the time, are made once for all of them."""
    counts = [_Counts() for _ in jury]
    counted = 0

    def count(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal counted
        for row in rows:
            counted += 1
            yield row

    questions = numbered(plan, count(rows))
    while chunk := list(islice(questions, CHUNK)):
        for juror, found in zip(jury, counts, strict=True):
            prompts = [juror.prompt(question) for _, question in chunk]
            found.add({juror.key(prompt): prompt for prompt in prompts})
    scale = of / counted if of and counted else 1.0
    return [
        _estimate(juror, round(found.asked * scale), round(found.cached * scale), found.characters * scale)
        for juror, found in zip(jury, counts, strict=True)
    ]


@dataclass
class _Counts:
    asked: int = 0
    cached: int = 0
    characters: int = 0

    def add(self, prompts: Mapping[str, Prompt]) -> None:
        known = queries.stored(prompts.keys())
        new = [prompt for key, prompt in prompts.items() if key not in known]
        self.cached += len(known)
        self.asked += len(new)
        self.characters += sum(len(prompt.system) + len(prompt.user) for prompt in new)


def expected(rows: Iterable[tuple[Sequence[Mapping[str, Any]], str]], models: Sequence[str]) -> Iterator[Row]:
    """Rows as they may be, from (messages, reference): each model's answer is as long as the reference."""
    for number, (messages, reference) in enumerate(rows):
        # Different from each other, since equal answers are asked about once.
        answers = {model: f"{reference} {place}" for place, model in enumerate(models)}
        yield Row(id=str(number), messages=messages, reference=reference, answers=answers)


def spent(jury: Sequence[Juror], plan: Plan, rows: Iterable[Row], *, since: dt.datetime | None = None) -> Usage:
    """What the verdicts about `rows` took; with `since`, only those given from then on, which are not from the cache.

    Calls that failed and were given up are not in it: `Standing.usage` has them. Tokens and cost are None if any
    verdict's are not known.
    """
    total = Usage()
    questions = numbered(plan, rows)
    # A verdict counts once, even where rows repeat each other.
    seen: set[bytes] = set()
    while chunk := list(islice(questions, CHUNK)):
        keys = {juror.key(juror.prompt(question)) for _, question in chunk for juror in jury}
        fresh = [key for key in keys if bytes.fromhex(key) not in seen]
        seen.update(bytes.fromhex(key) for key in fresh)
        total += _sum(fresh, since)
    return total


def _estimate(juror: Juror, asked: int, cached: int, characters: float) -> Estimate:
    most = juror.most_calls if juror.is_llm else 0
    least = 1 if juror.is_llm else 0
    tokens_in = Range(
        low=round(least * characters / MOST_CHARACTERS), high=round(most * characters / FEWEST_CHARACTERS)
    )
    tokens_out = Range(low=least * asked * SHORT_REPLY, high=most * asked * LONG_REPLY)
    low, high = (
        _usd(juror.price, pair) for pair in ((tokens_in.low, tokens_out.low), (tokens_in.high, tokens_out.high))
    )
    free = (Decimal(0), Decimal(0))
    return Estimate(
        questions=asked + cached,
        cached=cached,
        calls=Range(low=least * asked, high=most * asked),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        usd=free if not juror.is_llm else None if low is None or high is None else (low, high),
    )


def _usd(price: Price, tokens: tuple[int, int]) -> Decimal | None:
    return price.of(Usage(tokens_in=tokens[0], tokens_out=tokens[1])).cost_usd


def _sum(keys: Sequence[str], since: dt.datetime | None) -> Usage:
    verdicts = Verdict.objects.filter(key__in=keys)
    if since is not None:
        verdicts = verdicts.filter(created_at__gte=since)
    columns = ("tokens_in", "tokens_out", "usd")
    found = verdicts.aggregate(
        rows=Count("id"),
        calls=Sum("calls", default=0),
        **{f"sum_{name}": Sum(name, default=0) for name in columns},
        **{f"known_{name}": Count(name) for name in columns},
    )
    known = {name: found[f"sum_{name}"] if found[f"known_{name}"] == found["rows"] else None for name in columns}
    usd = known["usd"]
    return Usage(
        calls=found["calls"],
        tokens_in=known["tokens_in"],
        tokens_out=known["tokens_out"],
        cost_usd=None if usd is None else Decimal(usd),
    )
