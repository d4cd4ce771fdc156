"""Review rounds and reviews over REST."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from evaluations.agreement.evidence import evidence_of
from evaluations.models import EvaluationRun, Review, ReviewRound, RoundItem, RoundShape
from evaluations.reviews.rounds.services import Design, start_round
from evaluations.rubrics.document import parsed
from evaluations.rubrics.services import create_rubric
from tenants.keys.services import create_api_key
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.reviews.rounds import UNIFORM, start

ROUNDS = "/api/v1/review-rounds/"
ITEMS = "/api/v1/review-items/"
REVIEWS = "/api/v1/reviews/"
JSON = "application/json"


@pytest.fixture
def of_alice(tenant: Tenant, alice: User) -> APIClient:
    with tenant_scope(tenant.id):
        _, token = create_api_key(tenant=tenant, name="of Alice", created_by=alice)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.fixture
def round_of_both(tenant: Tenant, evaluation: EvaluationRun, rita: User, alice: User) -> ReviewRound:
    with tenant_scope(tenant.id):
        return start(evaluation, rita, alice)


def next_of(client: Any, review_round: ReviewRound, ahead: int = 1) -> dict[str, Any]:
    answer = client.get(f"{ROUNDS}{review_round.id}/next/", {"ahead": ahead})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def put(client: Client, item: str, **given: Any) -> Any:
    return client.put(f"{ITEMS}{item}/review/", given, content_type=JSON)


def test_the_judge_is_seen_after_ones_own_grade_and_only_where_the_round_says_so(
    as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User
) -> None:
    with tenant_scope(tenant.id):
        hidden = start(evaluation, rita)
        shown = start_round(
            tenant=tenant, run=evaluation, design=Design(shares=UNIFORM, shows_judge=True), reviewers=[rita]
        )
    item = next_of(as_rita, hidden)["items"][0]["id"]
    assert put(as_rita, item, grade=2).json()["judge"] is None
    item = next_of(as_rita, shown)["items"][0]["id"]
    assert "judge" not in as_rita.get(f"{ITEMS}{item}/").json()
    first = put(as_rita, item, grade=2).json()
    assert set(first["judge"]) == {"grade", "reason"}
    with tenant_scope(tenant.id):
        # Sent again by a browser that lost the answer, it is still the blind grade.
        put(as_rita, item, grade=2)
        assert not Review.objects.get(pk=first["review"]["id"]).has_seen_judge
        put(as_rita, item, grade=5)
        assert Review.objects.get(pk=first["review"]["id"]).has_seen_judge
        as_rita.delete(f"{ITEMS}{item}/review/")
        again = put(as_rita, item, grade=4).json()["review"]["id"]
        assert Review.objects.get(pk=again).has_seen_judge
        compared = evidence_of(shown).decided
        assert [one.grade for one in compared] == [2], "the judge is compared with the blind grade"


def test_an_expert_works_through_rest_and_sees_no_model(as_rita: Client, round_of_both: ReviewRound) -> None:
    for done in range(6):
        body = next_of(as_rita, round_of_both)
        assert (body["progress"]["done"], body["progress"]["total"]) == (done, 6)
        (item,) = body["items"]
        assert set(item) == {"id", "number", "messages", "expected", "answers", "criteria", "instructions", "own"}
        assert [set(answer) for answer in item["answers"]] == [{"label", "text"}]
        answer = put(as_rita, item["id"], grade=5, seconds=12)
        assert answer.status_code == 200
        assert answer.json()["review"]["grade"] == 5
    body = next_of(as_rita, round_of_both)
    assert (body["progress"], body["items"]) == ({"done": 6, "total": 6, "minutes_left": 0}, [])
    assert as_rita.get(ROUNDS).json()["results"][0]["number"] == 1
    assert "seed" not in as_rita.get(f"{ROUNDS}{round_of_both.id}/").json()


def test_sent_twice_it_counts_once_and_can_be_taken_back(
    as_rita: Client, tenant: Tenant, round_of_both: ReviewRound
) -> None:
    item = next_of(as_rita, round_of_both)["items"][0]["id"]
    first, again = (put(as_rita, item, grade=2, comment="No.").json() for _ in range(2))
    assert first == again
    assert as_rita.get(f"{ITEMS}{item}/").json()["own"]["comment"] == "No."
    with tenant_scope(tenant.id):
        assert Review.objects.count() == 1
    assert as_rita.delete(f"{ITEMS}{item}/review/").status_code == 204
    body = next_of(as_rita, round_of_both)
    assert (body["progress"]["done"], body["items"][0]["id"], body["items"][0]["own"]) == (0, item, None)


def test_a_skipped_answer_goes_to_others_and_comes_back_when_undone(
    as_rita: Client, of_alice: APIClient, round_of_both: ReviewRound
) -> None:
    item = next_of(as_rita, round_of_both)["items"][0]["id"]
    assert as_rita.post(f"{ITEMS}{item}/skip/", {"reason": "Not my field."}, JSON).status_code == 204
    assert next_of(as_rita, round_of_both)["items"][0]["id"] != item
    assert next_of(of_alice, round_of_both)["items"][0]["id"] == item
    assert of_alice.get(f"{ROUNDS}{round_of_both.id}/").json()["skipped"] == [
        {"number": 1, "reviewer": "rita@example.com", "reason": "Not my field."}
    ]


def test_criteria_marks_and_a_correction(
    as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User, alice: User
) -> None:
    criteria = [
        {"name": "Facts", "description": "Are they right?", "weight": 3},
        {"name": "Style", "description": "Is it ours?", "scale": [0, 2], "required": False},
    ]
    with tenant_scope(tenant.id):
        rubric = create_rubric(
            tenant=tenant, document=parsed({"name": "R", "instructions": "Read.", "criteria": criteria})
        )
        review_round = start(evaluation, rita, rubric_version=rubric.versions.get())
    (item,) = next_of(as_rita, review_round)["items"]
    assert item["instructions"] == "Read."
    assert [(one["name"], one["lowest"], one["highest"], one["required"]) for one in item["criteria"]] == [
        ("Facts", 1, 5, True),
        ("Style", 0, 2, False),
    ]
    for wrong in ({"Style": 1}, {"Facts": 6}, {"Facts": 5, "Tone": 2}, {}):
        assert put(as_rita, item["id"], grades=wrong).status_code == 400
    mark = {"start": 0, "end": 5, "text": "SHELF", "note": "Lower case."}
    answer = put(as_rita, item["id"], grades={"Facts": 4, "Style": 2}, marks=[mark], correction="shelf")
    review = answer.json()["review"]
    assert review["grade"] == pytest.approx((3 * 4 + 5) / 4)
    assert (review["marks"], review["correction"]) == ([mark], "shelf")
    assert put(as_rita, item["id"], grades={"Facts": 4}, marks=[{"start": 5, "end": 5000}]).status_code == 400


def test_the_choice_of_a_pair_is_turned_back(
    as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User
) -> None:
    with tenant_scope(tenant.id):
        base = evaluation.models.get(key="base")
        design = Design(against=base, shape=RoundShape.PAIR)
        review_round = start_round(tenant=tenant, run=evaluation, design=design, reviewers=[rita])
    sides = set()
    for item in next_of(as_rita, review_round, ahead=10)["items"]:
        texts = [answer["text"] for answer in item["answers"]]
        assert [answer["label"] for answer in item["answers"]] == ["A", "B"]
        better = "second" if texts[0] == "I do not know." else "first"
        sides.add(better)
        assert put(as_rita, item["id"], choice=better).json()["review"]["choice"] == better
    assert put(as_rita, item["id"], grade=3).status_code == 400
    with tenant_scope(tenant.id):
        assert set(Review.objects.values_list("choice", flat=True)) == {"candidate"}
    assert sides == {"first", "second"} or len(sides) == 1


def test_a_manager_starts_changes_and_closes_a_round(
    of_alice: APIClient, as_rita: Client, evaluation: EvaluationRun
) -> None:
    wanted = {"evaluation": str(evaluation.id), "answers": 4, "due_on": "2030-05-01"}
    assert as_rita.post(ROUNDS, wanted, JSON).status_code == 403
    created = of_alice.post(ROUNDS, wanted, format="json")
    assert created.status_code == 201
    body = created.json()
    assert (body["state"], body["candidate"], body["due_on"]) == ("open", "v1", "2030-05-01")
    assert [one["email"] for one in body["reviewers"]] == ["rita@example.com"]
    url = f"{ROUNDS}{body['id']}/"
    assert as_rita.patch(url, {"state": "closed"}, JSON).status_code == 403
    changed = of_alice.patch(url, {"reviewers": ["alice@example.com"], "due_on": None}, format="json").json()
    assert ([one["email"] for one in changed["reviewers"]], changed["due_on"]) == (["alice@example.com"], None)
    assert as_rita.get(url).status_code == 404
    item = of_alice.get(f"{url}next/").json()["items"][0]["id"]
    assert of_alice.patch(url, {"state": "closed"}, format="json").json()["state"] == "closed"
    # A reservation ends with the round.
    assert of_alice.put(f"{ITEMS}{item}/review/", {"grade": 3}, format="json").status_code == 404
    assert of_alice.patch(url, {"due_on": None}, format="json").json()["code"] == "review:round_closed"
    wanted["reviewers"] = ["nobody@example.com"]
    assert of_alice.post(ROUNDS, wanted, format="json").json()["field"] == "reviewers"


def test_disagreement_is_settled(
    as_rita: Client, of_alice: APIClient, as_bob: Client, bob: User, tenant: Tenant, evaluation: EvaluationRun,
    rita: User, alice: User,
) -> None:  # fmt: skip
    with tenant_scope(tenant.id):
        review_round = start(evaluation, rita, alice, reviewers_per_item=2)
    item = next_of(as_rita, review_round)["items"][0]["id"]
    assert next_of(of_alice, review_round)["items"][0]["id"] == item
    put(as_rita, item, grade=5)
    of_alice.put(f"{ITEMS}{item}/review/", {"grade": 1}, format="json")
    url = f"{ROUNDS}{review_round.id}/"
    (dispute,) = as_bob.get(url).json()["disputes"]
    assert dispute["item"] == item
    assert sorted(one["grade"] for one in dispute["grades"]) == [1, 5]
    assert as_rita.put(f"{ITEMS}{item}/adjudication/", {"grade": 4}, content_type=JSON).status_code == 403
    assert as_bob.put(f"{ITEMS}{item}/adjudication/", {"grade": 4}, content_type=JSON).status_code == 200
    body = as_bob.get(url).json()
    assert (body["disputes"], body["decided"], body["answers"]) == ([], 1, 6)


def test_charlie_sees_and_grades_nothing(
    as_charlie: Client, other_api: APIClient, as_rita: Client, round_of_both: ReviewRound
) -> None:
    item = next_of(as_rita, round_of_both)["items"][0]["id"]
    assert as_charlie.get(f"{ROUNDS}{round_of_both.id}/next/").status_code == 404
    assert as_charlie.get(f"{ITEMS}{item}/").status_code == 404
    assert put(as_charlie, item, grade=5).status_code == 404
    assert other_api.get(f"{ROUNDS}{round_of_both.id}/").status_code == 404
    assert other_api.post(ROUNDS, {"evaluation": str(round_of_both.run_id)}, format="json").status_code == 404


def test_nobody_grades_what_was_not_handed_to_them(
    as_rita: Client, as_bob: Client, tenant: Tenant, round_of_both: ReviewRound
) -> None:
    with tenant_scope(tenant.id):
        last = RoundItem.objects.filter(round=round_of_both).last()
    assert last is not None
    assert put(as_rita, str(last.id), grade=5).status_code == 404
    assert next_of(as_bob, round_of_both)["items"] == []


def test_a_key_of_nobody_cannot_grade(api: APIClient, round_of_both: ReviewRound) -> None:
    answer = api.get(f"{ROUNDS}{round_of_both.id}/next/")
    assert (answer.status_code, answer.json()["code"]) == (403, "review:needs_a_person")


@pytest.mark.parametrize("grade", [0, 6, "good", None, 2.5])
def test_a_wrong_grade_names_the_field(as_rita: Client, round_of_both: ReviewRound, grade: object) -> None:
    item = next_of(as_rita, round_of_both)["items"][0]["id"]
    answer = put(as_rita, item, grade=grade)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem.get("field") == "grade" or problem["errors"][0]["field"] == "grade"


def test_experts_see_their_own_reviews_only(as_rita: Client, of_alice: APIClient, round_of_both: ReviewRound) -> None:
    put(as_rita, next_of(as_rita, round_of_both)["items"][0]["id"], grade=1, comment="only mine")
    assert of_alice.get(REVIEWS).json()["results"] == []
    assert len(as_rita.get(REVIEWS).json()["results"]) == 1


def test_the_next_answers_have_a_query_budget(
    as_rita: Client, round_of_both: ReviewRound, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_max_num_queries(20):
        next_of(as_rita, round_of_both, ahead=3)
