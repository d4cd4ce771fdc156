"""What a qualification takes, before it is started."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from evaluations.judges.backends.base import Judge as Backend
from evaluations.judges.backends.errors import JudgeError
from evaluations.judges.backends.usage import Price, Usage
from evaluations.judges.configured import backend_of
from evaluations.judges.prices import price_now
from evaluations.models import Judge
from evaluations.qualification.cases import everything

CHARACTERS_PER_TOKEN = 4
REPLY_TOKENS = 60
"""A reason of one or two sentences and a grade."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Calls if none fails, and US dollars; None if no price is set."""

    calls: int
    usd: Decimal | None


def estimate_of(judge: Judge) -> Estimate:
    """Of an organisation's own judge."""
    samples = judge.samples if judge.temperature > 0 else 1
    return _estimate(samples, _price(judge))


def estimate_of_shared(backend: Backend) -> Estimate:
    """Of a judge that the site offers. One without a language model costs nothing."""
    if not backend.is_llm:
        return Estimate(calls=len(everything()), usd=Decimal(0))
    options = backend.settings
    samples = options["SAMPLES"] if options["TEMPERATURE"] > 0 else 1
    return _estimate(samples, price_now(backend))


def _price(judge: Judge) -> Price:
    """As it would be asked; what is set on it where it can't be."""
    try:
        return backend_of(judge).price
    except JudgeError:
        return Price(judge.price_in, judge.price_out)


def _estimate(samples: int, price: Price) -> Estimate:
    calls = len(everything()) * samples
    usage = Usage(calls=calls, tokens_in=_tokens() * samples, tokens_out=REPLY_TOKENS * calls)
    return Estimate(calls=calls, usd=price.of(usage).cost_usd)


@cache
def _tokens() -> int:
    return sum(len(one.prompt.system) + len(one.prompt.user) for one in everything()) // CHARACTERS_PER_TOKEN
