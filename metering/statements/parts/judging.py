"""Lines of judges and outside models. Calls of models on this site are not here: their cost is in serving."""

from collections.abc import Iterable

from evaluations.models import PaidTo
from metering.costs.judging import BASIS, source_of
from metering.costs.lines import JudgeLine
from metering.statements.parts.lines import MICROS, Line, counted

GROUP = "Judges and outside models"


def judge_lines(judges: Iterable[JudgeLine]) -> list[Line]:
    """By purpose, who is paid, and judge; calls whose cost is not known are a line of their own."""
    return [line for judge in judges if judge.paid_to != PaidTo.SERVING for line in _lines(judge)]


def _lines(judge: JudgeLine) -> Iterable[Line]:
    calls = judge.calls
    title = f"{judge.title}: {judge.judge}"
    if judge.usd is not None:
        yield Line(
            kind=judge.purpose,
            group=GROUP,
            title=title,
            detail=f"{counted(calls.tokens_in, 'input token')}, {counted(calls.tokens_out, 'output token')}",
            quantity=str(calls.calls - calls.without_cost),
            unit="call",
            price_source=f"{source_of(judge.paid_to, [judge])}: {BASIS[judge.paid_to]}",
            paid_to=judge.paid_to.value,
            micros=int(judge.usd * MICROS),
        )
    for count, why in ((calls.without_price, "No price set"), (calls.without_tokens, "No tokens reported")):
        if count:
            yield Line(
                kind=judge.purpose,
                group=GROUP,
                title=title,
                quantity=str(count),
                unit="call",
                price_source=why,
                paid_to=judge.paid_to.value,
            )
