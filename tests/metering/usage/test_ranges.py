"""A range is read from few rows that cover each of its hours once."""

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from metering.models import Grain
from metering.usage.ranges import HOUR, begin_of, next_of, pieces, starts
from tests.examples import examples

HOURS = st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2027, 1, 1)).map(
    lambda at: at.replace(minute=0, second=0, microsecond=0, tzinfo=dt.UTC)
)
FAR = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


@settings(max_examples=examples(200), deadline=None)
@given(HOURS, st.integers(1, 24 * 500), st.sampled_from(Grain))
def test_pieces_cover_a_range_once_in_the_coarsest_rows_there_are(
    start: dt.datetime, hours: int, coarsest: Grain
) -> None:
    end = start + hours * HOUR
    found = pieces(start, end, now=FAR, coarsest=coarsest)
    at = start
    for piece in found:
        assert piece.start == at < piece.end
        assert begin_of(piece.grain, piece.start) == piece.start
        assert begin_of(piece.grain, piece.end) == piece.end
        at = piece.end
    assert at == end
    assert all(list(Grain).index(piece.grain) <= list(Grain).index(coarsest) for piece in found)
    rows = sum(len(list(starts(piece.grain, piece.start, piece.end))) for piece in found)
    assert rows <= hours
    if coarsest == Grain.MONTH:
        assert rows <= 23 * 2 + 30 * 2 + 17


def test_a_month_that_is_not_over_is_read_whole() -> None:
    now = dt.datetime(2026, 11, 29, 13, 20, tzinfo=dt.UTC)
    [piece] = pieces(dt.datetime(2025, 11, 1, tzinfo=dt.UTC), now.replace(hour=14, minute=0), now=now)
    assert piece == (Grain.MONTH, dt.datetime(2025, 11, 1, tzinfo=dt.UTC), dt.datetime(2026, 12, 1, tzinfo=dt.UTC))


def test_months_have_their_lengths() -> None:
    first = dt.datetime(2028, 1, 1, tzinfo=dt.UTC)
    found = list(starts(Grain.MONTH, first, first.replace(year=2029)))
    assert [start.month for start in found] == list(range(1, 13))
    assert next_of(Grain.MONTH, found[1]) - found[1] == dt.timedelta(days=29)
