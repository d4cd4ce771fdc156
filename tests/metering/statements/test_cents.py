"""Lines to the cent sum to the total to the cent."""

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from metering.statements.document import Document
from metering.statements.parts.cents import MICROS_IN_A_CENT, shown_cents
from metering.statements.parts.lines import ADJUSTMENT, Line
from metering.statements.shown import shown
from tests.examples import examples

amounts = st.integers(-(10**12), 10**12) | st.integers(-20_000, 20_000)


@given(st.lists(amounts, max_size=60))
@example([3_333, 3_333, 3_334])
@example([5_000])
@example([-5_000])
@example([9_999] * 50)
@example([9_999, *[1] * 5_001])
@settings(max_examples=examples(200), deadline=None)
def test_they_sum_and_each_is_less_than_a_cent_from_its_own(micros: list[int]) -> None:
    cents = shown_cents(micros)
    total = (Decimal(sum(micros)) / MICROS_IN_A_CENT).quantize(Decimal(1), ROUND_HALF_UP)
    # Half a cent is rounded up, also below 0.
    assert sum(cents) in (total, total + 1 if sum(micros) < 0 else total)
    assert sum(cents) == (sum(micros) + MICROS_IN_A_CENT // 2) // MICROS_IN_A_CENT
    for amount, cent in zip(micros, cents, strict=True):
        assert abs(cent * MICROS_IN_A_CENT - amount) < MICROS_IN_A_CENT


lines = st.builds(
    Line,
    kind=st.sampled_from(["serving", "training", ADJUSTMENT]),
    group=st.sampled_from(["a", "b", "c"]),
    title=st.just("x"),
    paid_to=st.sampled_from(["site", "site", "provider"]),
    micros=st.none() | amounts,
)


@given(st.lists(lines, max_size=40))
@settings(max_examples=examples(100), deadline=None)
def test_subtotals_sum_to_the_amount_due_of_any_document(found: list[Line]) -> None:
    found.sort(key=lambda line: line.group)
    document = Document(number="a-2026-10", organisation="A", month="2026-10", currency="USD", sharing="", lines=found)
    seen = shown(document)
    of_lines = [one.amount for group in seen.groups for one in group.lines if one.amount is not None]
    assert sum(of_lines) == seen.due == sum(group.subtotal for group in seen.groups)
    assert seen.due * 100 == (document.due_micros + 5_000) // 10_000
    assert seen.provider * 100 == (document.provider_micros + 5_000) // 10_000
    assert len(seen.lines) == len(found)
    assert [one.amount is None for one in seen.lines] == [one.exact is None for one in seen.lines]
    assert document.use_micros + document.adjustment_micros == document.due_micros
