"""Reviews over REST."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from evaluations.models import EvaluationItem, EvaluationRun, Review
from tenants.keys.services import create_api_key
from tenants.models import Tenant, User
from tenants.people.services import add_member
from tenants.permissions import Role
from tenants.scope import tenant_scope

URL = "/api/v1/evaluations/"
REVIEWS = "/api/v1/reviews/"


@pytest.fixture
def api_of_alice(tenant: Tenant, alice: User) -> APIClient:
    with tenant_scope(tenant.id):
        _, token = create_api_key(tenant=tenant, name="of Alice", created_by=alice)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def item_of(tenant: Tenant, evaluation: EvaluationRun) -> EvaluationItem:
    with tenant_scope(tenant.id):
        return EvaluationItem.objects.filter(run=evaluation)[0]


def test_charlie_sees_and_grades_nothing(
    other_api: APIClient, as_charlie: Client, tenant: Tenant, evaluation: EvaluationRun
) -> None:
    item = {"item": str(item_of(tenant, evaluation).id), "grade": 5}
    assert other_api.post(REVIEWS, item).status_code == 404
    assert as_charlie.get(f"{URL}{evaluation.id}/next-review/").status_code == 404


def test_a_key_grades_for_the_person_who_made_it(
    api_of_alice: APIClient, tenant: Tenant, evaluation: EvaluationRun, alice: User
) -> None:
    item = item_of(tenant, evaluation)
    created = api_of_alice.post(REVIEWS, {"item": str(item.id), "grade": 4, "comment": "fine"})
    assert created.status_code == 201
    assert api_of_alice.post(REVIEWS, {"item": str(item.id), "grade": 2}).json()["id"] == created.json()["id"]
    with tenant_scope(tenant.id):
        assert Review.objects.get().reviewer == alice
    assert [row["grade"] for row in api_of_alice.get(REVIEWS).json()["results"]] == [2]


def test_a_key_of_nobody_cannot_grade(api: APIClient, tenant: Tenant, evaluation: EvaluationRun) -> None:
    answer = api.post(REVIEWS, {"item": str(item_of(tenant, evaluation).id), "grade": 4})
    assert (answer.status_code, answer.json()["code"]) == (403, "review:needs_a_person")


@pytest.mark.parametrize("grade", [0, 6, "good", None, 2.5])
def test_a_wrong_grade_names_the_field(
    api_of_alice: APIClient, tenant: Tenant, evaluation: EvaluationRun, grade: object
) -> None:
    body = {"item": str(item_of(tenant, evaluation).id), "grade": grade}
    answer = api_of_alice.post(REVIEWS, body, format="json")
    assert answer.status_code == 400
    problem = answer.json()
    assert problem.get("field") == "grade" or problem["errors"][0]["field"] == "grade"


def test_an_expert_works_through_rest_and_sees_no_scores(
    as_rita: Client, tenant: Tenant, evaluation: EvaluationRun
) -> None:
    for done in range(6):
        body = as_rita.get(f"{URL}{evaluation.id}/next-review/").json()
        assert (body["done"], body["total"]) == (done, 6)
        assert set(body["next"]) == {"item", "messages", "expected", "answer"}
        grade = {"item": body["next"]["item"], "grade": 5}
        assert as_rita.post(REVIEWS, grade, content_type="application/json").status_code == 201
    body = as_rita.get(f"{URL}{evaluation.id}/next-review/").json()
    assert (body["done"], body["next"]) == (6, None)
    assert as_rita.get(f"{URL}{evaluation.id}/items/").status_code == 403
    assert as_rita.get(URL).status_code == 403


def test_experts_see_their_own_reviews_only(
    as_rita: Client, as_bob: Client, tenant: Tenant, bob: User, evaluation: EvaluationRun
) -> None:
    item = {"item": str(item_of(tenant, evaluation).id), "grade": 1, "comment": "only mine"}
    assert as_rita.post(REVIEWS, item, content_type="application/json").status_code == 201
    with tenant_scope(tenant.id):
        add_member(tenant=tenant, user=bob, role=Role.REVIEWER)
    assert as_bob.get(REVIEWS).json()["results"] == []
    assert len(as_rita.get(REVIEWS).json()["results"]) == 1
