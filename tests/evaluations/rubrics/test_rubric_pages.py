"""Rubrics in the browser and by REST: versions, import and export, and the prompts that they give."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from corpora.models import Dataset, DatasetVersion
from evaluations.models import EvaluationRun, Judging, Rubric, RubricVersion
from evaluations.rubrics.document import RubricDocument, from_yaml, parsed
from evaluations.rubrics.services import change_rubric, create_rubric, delete_rubric
from evaluations.rubrics.starting import starters
from rest.errors import Conflict
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope
from tests.corpora.stored import chat, stored_version

YAML = "name: Ours\ncriteria:\n- {name: Correctness, description: Right or wrong}\n"


def document(name: str = "Ours", description: str = "Is it right?") -> RubricDocument:
    return parsed({"name": name, "criteria": [{"name": "Correctness", "description": description}]})


def test_a_change_makes_a_version_and_a_new_name_does_not(in_tenant: Tenant) -> None:
    rubric = create_rubric(tenant=in_tenant, document=document())
    change_rubric(rubric=rubric, document=document(name="Theirs"))
    change_rubric(rubric=rubric, document=document(name="Theirs"))
    assert RubricVersion.objects.count() == 1
    change_rubric(rubric=rubric, document=document(name="Theirs", description="Is it wrong?"))
    assert list(RubricVersion.objects.values_list("number", flat=True)) == [2, 1]
    actions = list(AuditEvent.objects.filter(action__startswith="rubric").values_list("action", flat=True))
    assert actions == ["rubric.changed", "rubric.changed", "rubric.created"]
    assert "wrong" not in str(list(AuditEvent.objects.values_list("after", flat=True)))


def test_a_name_is_taken_once(in_tenant: Tenant) -> None:
    create_rubric(tenant=in_tenant, document=document())
    other = create_rubric(tenant=in_tenant, document=document(name="Other"))
    with pytest.raises(Conflict):
        create_rubric(tenant=in_tenant, document=document())
    with pytest.raises(Conflict):
        change_rubric(rubric=other, document=document())
    delete_rubric(rubric=other)
    delete_rubric(rubric=other)
    assert Rubric.objects.count() == 1


def test_one_that_grades_need_stays(
    as_bob: Client, api: APIClient, tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]
) -> None:
    run = make_evaluation(tenant)
    with tenant_scope(tenant.id):
        rubric = create_rubric(tenant=tenant, document=document())
        Judging.objects.create(tenant=tenant, run=run, judges=[], state="ready", rubric_version=rubric.versions.get())
    page = as_bob.post(reverse("evaluations:rubric-delete", args=[rubric.id]), follow=True).content.decode()
    assert "Answers were judged by “Ours”" in page
    assert api.delete(f"/api/v1/rubrics/{rubric.id}/").json()["code"] == "rubric:in_use"


@pytest.fixture
def version(tenant: Tenant) -> DatasetVersion:
    with tenant_scope(tenant.id):
        dataset = Dataset.objects.create(tenant=tenant, name="Shelves")
        rows = [chat(f"Which shelf holds box {number}?", f"SHELF {number}") for number in range(8)]
        return stored_version(dataset, rows)


def test_prompts_are_previewed_on_five_rows(
    as_bob: Client, api: APIClient, tenant: Tenant, version: DatasetVersion
) -> None:
    with tenant_scope(tenant.id):
        rubric = create_rubric(tenant=tenant, document=document())
    url = reverse("evaluations:rubric", args=[rubric.id])
    page = as_bob.get(url, {"dataset_version": str(version.id)}).content.decode()
    assert page.count("<h3>Row ") == 5
    assert "Which shelf holds box 4?" in page
    assert "60 days" not in page
    assert "Select a valid choice" in as_bob.get(url, {"dataset_version": str(rubric.id)}).content.decode()
    found = api.post(f"/api/v1/rubrics/{rubric.id}/preview/", {"dataset_version": str(version.id)}).json()
    assert [one["row"] for one in found] == [1, 2, 3, 4, 5]
    assert found[0]["user"].count("SHELF 0") == 2
    assert api.post(f"/api/v1/rubrics/{rubric.id}/preview/", {"dataset_version": str(rubric.id)}).status_code == 404
    both = {"dataset_version": str(version.id), "answer": "x"}
    assert api.post(f"/api/v1/rubrics/{rubric.id}/preview/", both).status_code == 400


def test_from_a_template_to_an_export(as_bob: Client, tenant: Tenant) -> None:
    form = as_bob.get(reverse("evaluations:new-rubric"), {"starter": "legal-clause"})
    assert "Legal effect" in form.content.decode()
    text = starters()["legal-clause"].to_yaml()
    page = as_bob.post(reverse("evaluations:new-rubric"), {"document": text}, follow=True).content.decode()
    assert "Rubric added." in page
    assert "Criterion: Legal effect" in page
    with tenant_scope(tenant.id):
        rubric = Rubric.objects.get()
    exported = as_bob.get(reverse("evaluations:rubric-export", args=[rubric.id]))
    assert exported["Content-Disposition"] == 'attachment; filename="legal-clauses.yaml"'
    assert from_yaml(exported.content.decode()) == starters()["legal-clause"]
    page = as_bob.post(
        reverse("evaluations:rubric", args=[rubric.id]), {"document": YAML}, follow=True
    ).content.decode()
    assert "Version 2" in page


def test_what_is_wrong_stands_at_the_text(as_bob: Client) -> None:
    page = as_bob.post(reverse("evaluations:new-rubric"), {"document": "name: a\nname: b"}).content.decode()
    assert "Line 1: This is not valid YAML: a key occurs twice." in page


def test_the_list_needs_few_queries(
    as_bob: Client, tenant: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with tenant_scope(tenant.id):
        for number in range(30):
            create_rubric(tenant=tenant, document=document(name=f"Rubric {number}"))
    with django_assert_max_num_queries(8):
        page = as_bob.get(reverse("evaluations:rubrics")).content.decode()
    assert page.count("Rubric ") >= 25


def test_a_reviewer_is_kept_out(as_rita: Client) -> None:
    assert as_rita.get(reverse("evaluations:rubrics")).status_code == 403


def test_rest_from_first_to_last(api: APIClient, other_api: APIClient) -> None:
    made = api.post("/api/v1/rubrics/", {"yaml": YAML})
    assert made.status_code == 201, made.json()
    rubric = made.json()
    one = f"/api/v1/rubrics/{rubric['id']}/"
    assert rubric["document"]["criteria"][0]["scale"] == [1, 5]
    assert api.put(one, {"document": rubric["document"]}).json()["version"] == 1
    changed = api.put(one, {"document": {**rubric["document"], "instructions": "Be strict."}}).json()
    assert changed["version"] == 2
    assert changed["sha256"] != rubric["sha256"]
    row = {"messages": [{"role": "user", "content": "Which law?"}], "reference": "Ohm's", "answer": "Murphy's"}
    (prompt,) = api.post(f"{one}preview/", row).json()
    assert prompt["criterion"] == "Correctness"
    assert "Be strict." in prompt["system"]
    assert "Murphy's" in prompt["user"]
    assert other_api.get(one).status_code == 404
    bodies: list[dict[str, object]] = [{}, {"yaml": YAML, "document": {}}, {"yaml": "name: ["}, {"document": {}}]
    for wrong in bodies:
        assert api.post("/api/v1/rubrics/", wrong).status_code == 400
    assert api.post("/api/v1/rubrics/", {"yaml": YAML}).json()["code"] == "rubric:name_taken"
    assert api.delete(one).status_code == 204
