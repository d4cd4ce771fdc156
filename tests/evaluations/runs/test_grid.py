"""Which rows the grid shows, in which order, and what stands above them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from adapters.models import AdapterVersion
from evaluations.models import Answer, EvaluationItem, EvaluationRun, EvaluationState, Grade
from evaluations.runs.grid.address import Wanted, options_of, wanted_by
from evaluations.runs.grid.chips import chips_of
from evaluations.runs.grid.filters import filters_of
from evaluations.runs.grid.grid import Grid, Outcome
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.conftest import reference_of
from tests.evaluations.reviews.rounds import graded


def respond(row: dict[str, Any], model: str) -> str:
    """Rows 1 to 6: the base is right on 1 and 2, v1 on 2 to 4, v2 on all but 1."""
    number = int(reference_of(row)[-1])
    right = {"base": {1, 2}, "v1": {2, 3, 4}, "v2": {2, 3, 4, 5, 6}}[model]
    return reference_of(row) if number in right else f"No {model[:1]}"


@pytest.fixture
def run(
    in_tenant: Tenant, make_version: Callable[..., AdapterVersion], make_evaluation: Callable[..., EvaluationRun]
) -> EvaluationRun:
    """Of v2, beside the base and v1."""
    earlier, own = make_version(), make_version()
    return make_evaluation(in_tenant, version=own, versions=[earlier], respond=respond)


def grid_of(run: EvaluationRun, query: str = "", viewer: User | None = None) -> Grid:
    return Grid(run, wanted_by(QueryDict(query), options_of(run)), viewer)


def shown(run: EvaluationRun, query: str = "", viewer: User | None = None) -> list[int]:
    return list(grid_of(run, query, viewer).ordered.values_list("position", flat=True))


def test_rows_that_got_worse_come_first(run: EvaluationRun) -> None:
    assert shown(run) == [1, 2, 3, 4, 5, 6]
    assert shown(run, "model=v1&against=base") == [1, 2, 3, 4, 5, 6]
    assert shown(run, "model=base&against=v2") == [3, 4, 5, 6, 1, 2]
    assert shown(run, "model=base&against=v2&sort=position") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("query", "positions"),
    [
        ("show=worse", [1]),
        ("show=better", [3, 4, 5, 6]),
        ("show=better&against=v1", [5, 6]),
        ("show=differs", [1, 3, 4, 5, 6]),
        ("show=differs&against=v1", [5, 6]),
        ("wrong=v2", [1]),
        ("wrong=base", [3, 4, 5, 6]),
        ("wrong=base&wrong=v1", [5, 6]),
        ("wrong=base&slice=unseen", [3, 6]),
        ("wrong=base&show=better&slice=seen&q=box+4", [4]),
        ("show=worse&show=better", []),
        ("q=HOLDS+BOX+5", [5]),
        ("q=shelf+6+row", [6]),
        ("q=no+b", [3, 4, 5, 6]),
        ("q=%25", []),
        ("q=user", []),
        ("show=graded", []),
        ("show=disputed", []),
        ("show=unsure", []),
    ],
)
def test_filters_can_be_combined(run: EvaluationRun, query: str, positions: list[int]) -> None:
    assert shown(run, query) == positions


@pytest.mark.parametrize(
    "query",
    [
        "show=nonsense",
        "slice=x&length=x&sort=x&size=x&model=x&against=x&wrong=x",
        "q=",
        "q=%00",
        "size=7",
        "against=v2",
    ],
)
def test_what_is_not_known_shows_all(run: EvaluationRun, query: str) -> None:
    assert shown(run, query) == [1, 2, 3, 4, 5, 6]


def test_a_known_filter_counts_beside_an_unknown_one(run: EvaluationRun) -> None:
    assert shown(run, "show=nonsense&show=worse") == [1]


@pytest.mark.parametrize(
    ("sort", "positions"),
    [
        ("length", [1, 2, 3, 4, 5, 6]),
        ("-length", [6, 5, 4, 3, 2, 1]),
        ("uncertain", [3, 5, 1, 2, 4, 6]),
        ("judge", [2, 1, 4, 5, 6, 3]),
        ("-judge", [6, 5, 4, 1, 2, 3]),
        ("rouge_l", [5, 1, 2, 3, 6, 4]),
        ("-rouge_l", [1, 2, 3, 6, 5, 4]),
    ],
)
def test_orders_and_rows_without_a_value_last(run: EvaluationRun, sort: str, positions: list[int]) -> None:
    for item in EvaluationItem.objects.filter(run=run):
        item.prompt_length = 10 * item.position
        item.uncertainty = {3: 0.9, 5: 0.5}.get(item.position, 0.1)
        item.save()
    own = Answer.objects.filter(model__run=run, model__key="v2")
    for answer in own.select_related("item"):
        score = {5: 0.05, 4: None}.get(answer.item.position, 1.0)
        Answer.objects.filter(id=answer.id).update(scores={"exact_match": 0.0, "rouge_l": score})
        grade = {1: 1.5, 2: 1.0}.get(answer.item.position, answer.item.position / 2)
        Grade.objects.filter(answer=answer).update(score=grade)
    Grade.objects.filter(answer__in=own.filter(item__position=3)).delete()
    assert shown(run, f"sort={sort}") == positions


def test_thirds_by_length_have_every_row_once(run: EvaluationRun) -> None:
    for item in EvaluationItem.objects.filter(run=run):
        item.prompt_length = 10 * item.position
        item.save()
    assert [shown(run, f"length={third}&sort=position") for third in ("short", "middle", "long")] == [
        [1, 2],
        [3, 4],
        [5, 6],
    ]
    EvaluationItem.objects.filter(run=run).update(prompt_length=7)
    assert [len(shown(run, f"length={third}")) for third in ("short", "middle", "long")] == [6, 0, 0]


def test_low_confidence_is_a_probability_below_a_half(run: EvaluationRun) -> None:
    Answer.objects.filter(model__run=run, item__position=4).update(log_probability=-1.0)
    Answer.objects.filter(model__run=run, item__position=5).update(log_probability=-0.1)
    assert shown(run, "show=unsure") == [4]


def test_judge_and_experts_differ(run: EvaluationRun, alice: User, rita: User, bob: User, in_tenant: Tenant) -> None:
    items = {item.position: item for item in EvaluationItem.objects.filter(run=run).select_related("run")}
    for position, reviewer, grade in ((2, rita, 2), (2, alice, 3), (3, rita, 5), (4, rita, 3), (1, rita, 1)):
        graded(items[position], reviewer, grade)
    # The judge gives 5 where the answer is right. Alice has graded row 2 alone.
    assert shown(run, "show=disputed", bob) == [2, 4]
    assert shown(run, "show=disputed", alice) == [2]
    assert shown(run, "show=graded") == [1, 2, 3, 4]


def test_the_head_says_who_is_better(run: EvaluationRun) -> None:
    grid = grid_of(run)
    assert grid.outcome == Outcome(better=4, worse=1, same=1)
    assert grid_of(run, "against=v1").outcome == Outcome(better=2, worse=0, same=4)
    base, v1, v2 = chips_of(grid)
    assert [chip.exact for chip in (base, v1, v2)] == ["33.3%", "50.0%", "83.3%"]
    assert (v2.interval, v2.wrong, v2.part, base.part, v1.part) == ("36 to 100%", 1, "own", "other", "")
    assert v2.judge


def test_an_evaluation_from_before_facts_were_stored_shows_the_same(run: EvaluationRun) -> None:
    stored = chips_of(grid_of(run))
    outcome = grid_of(run).outcome
    del run.summary["all"]["models"]
    for entry in run.summary["all"]["differences"]:
        del entry["better"], entry["worse"]
    assert chips_of(grid_of(run)) == stored
    assert grid_of(run).outcome == outcome
    for item in EvaluationItem.objects.filter(run=run):
        item.prompt_sha256 = str(item.position % 2)
        item.save()
    # Rows that repeat a prompt widen the interval.
    assert chips_of(grid_of(run))[2].interval == "0 to 100%"


def test_filters_say_how_many_rows_they_leave(run: EvaluationRun) -> None:
    grid = grid_of(run, "show=better&wrong=v1")
    found = [(one.value, one.count, one.is_on) for one in filters_of(grid, chips_of(grid))]
    assert found == [
        ("worse", 1, False),
        ("better", 4, True),
        ("v2", 1, False),
        ("base", 4, False),
        ("v1", 3, True),
        ("differs", None, False),
    ]


def test_an_address_says_only_what_is_chosen(run: EvaluationRun) -> None:
    query = "against=v1&show=worse&wrong=v1&q=a+b&sort=-length&size=50"
    assert grid_of(run, query).wanted.address() == query
    assert grid_of(run, query).wanted.without_filters() == "against=v1&sort=-length&size=50"
    assert Wanted().address() == ""


def test_neighbours_are_those_of_the_rows_shown(run: EvaluationRun) -> None:
    found = grid_of(run, "show=better").neighbours(4)
    assert (found.number, found.total, found.previous, found.next) == (2, 4, 3, 5)
    assert grid_of(run, "show=better").neighbours(2).number == 0


def test_the_page_counts_what_it_shows_and_offers_to_clear(as_alice: Client, run: EvaluationRun) -> None:
    address = reverse("evaluations:detail", args=[run.id])
    page = as_alice.get(address, {"show": "better", "against": "v1"}).content.decode()
    assert "2 of 6 rows" in page
    assert f'href="{address}?against=v1#rows"' in page
    assert "Clear filters" not in as_alice.get(address).content.decode()


def test_a_running_evaluation_shows_what_is_answered(as_alice: Client, tenant: Tenant, run: EvaluationRun) -> None:
    with tenant_scope(tenant.id):
        EvaluationRun.objects.update(state=EvaluationState.RUNNING, summary={})
        Answer.objects.filter(item__position__gt=4).delete()
        Answer.objects.filter(model__key="v2", item__position=2).delete()
        Answer.objects.update(scores={}, is_right=None)
        run.refresh_from_db()
        assert shown(run) == [1, 2, 3, 4]
    page = as_alice.get(reverse("evaluations:detail", args=[run.id])).content.decode()
    assert "Not answered yet" in page
    assert (
        "v2: 3 of 6 rows answered" in as_alice.get(reverse("evaluations:live", args=[run.id])).content.decode()
        or "Queued" in page
    )
    for name in ("figures", "export"):
        assert as_alice.get(reverse(f"evaluations:{name}", args=[run.id])).status_code == 200
