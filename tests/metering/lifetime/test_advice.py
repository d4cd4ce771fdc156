"""Which advice a live version gets, and its reason."""

import datetime as dt

import pytest

from metering.lifetime.advice import Advice, Seen, advise
from metering.usage.figures import Figures

DAY = dt.timedelta(days=1)
MONTH_OF_INSTANCE = 30 * DAY


def seen(*, requests: int = 500, busy: dt.timedelta = DAY, cold: int = 0, live: int = 60, quiet: int = 0,
         instance: dt.timedelta = MONTH_OF_INSTANCE, is_pinned: bool = False) -> Seen:  # fmt: skip
    figures = Figures(requests=requests, cold_starts=cold, busy_us=busy // dt.timedelta(microseconds=1))
    return Seen(recent=figures, live_for=live * DAY, quiet_for=quiet * DAY, instance_time=instance, is_pinned=is_pinned)


@pytest.mark.parametrize(
    ("what", "advice", "words"),
    [
        (seen(), Advice.KEEP, "500 requests in the last 30 days"),
        (seen(requests=1), Advice.KEEP, "1 request in"),
        (seen(requests=0, live=3, quiet=3), Advice.KEEP, "not been live for long"),
        (seen(requests=0, quiet=21), Advice.RETIRE, "Nobody has asked it for 21 days"),
        (seen(requests=9, quiet=14), Advice.RETIRE, "14 days"),
        (seen(requests=9, quiet=13), Advice.KEEP, "9 requests"),
        # It came back just now: the days before do not count.
        (seen(requests=0, live=13, quiet=13), Advice.KEEP, "not been live for long"),
        (seen(cold=11), Advice.PIN, "2% of its requests waited"),
        (seen(cold=10), Advice.KEEP, "500"),
        (seen(cold=50, is_pinned=True), Advice.KEEP, "500"),
        (seen(requests=99, cold=50), Advice.KEEP, "99"),
        (seen(busy=12 * DAY), Advice.MERGE, "40% of its endpoint’s time"),
        (seen(busy=12 * DAY, cold=100), Advice.MERGE, "40%"),
        (seen(busy=12 * DAY, instance=2 * MONTH_OF_INSTANCE), Advice.KEEP, "500"),
        (seen(busy=12 * DAY, instance=0 * DAY), Advice.KEEP, "500"),
        (seen(requests=99, busy=30 * DAY), Advice.KEEP, "99"),
    ],
)
def test_it(what: Seen, advice: Advice, words: str) -> None:
    found = advise(what)
    assert (found.advice, words in found.reason) == (advice, True), found.reason
