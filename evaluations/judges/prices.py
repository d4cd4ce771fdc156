"""What tokens of a judge's model cost where its own settings say nothing.

The floor that keeps prices registers how to find out; this floor knows none. In an `AppConfig.ready`:
`register(token_price)`, where `token_price` is a `Finder`.
"""

from collections.abc import Callable

from evaluations.judges.backends.base import Judge
from evaluations.judges.backends.usage import Price

Finder = Callable[[str, str], Price | None]
"""The price now of a model in a region; None where it is not known."""

_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Ask `finder` for prices that judges have not set."""
    if finder not in _finders:
        _finders.append(finder)


def price_now(judge: Judge) -> Price:
    """What is set on the judge, or else the price of its model now. Reads the database."""
    own = judge.own_price
    if judge.priced_as is None or not own.is_unset or not _finders:
        return own
    return _finders[-1](*judge.priced_as) or own


def with_price(judge: Judge) -> Judge:
    """The judge, whose calls from now on cost what its model costs now. What was called before keeps its cost."""
    judge.price = price_now(judge)
    return judge
