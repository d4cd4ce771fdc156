"""Evaluations about a base model or an outside model, before anything is trained."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from adapters.models import Adapter, AdapterVersion, BaseModel
from corpora.lineage import uses_of
from corpora.models import DatasetVersion
from evaluations.gates.services import open_decision
from evaluations.judges.services import create_judge
from evaluations.models import (
    EvaluationRun,
    EvaluationState,
    Judge,
    JudgeKind,
    Judging,
    ModelKind,
    ReviewRound,
    RoundItem,
)
from evaluations.reviews.rounds.services import Design, start_round
from evaluations.runs.judgings.rows import plan_of
from evaluations.runs.services import start_evaluation
from jobs.backends import compute
from jobs.models import Job
from rest.errors import Conflict, PortalError
from tenants.models import AuditEvent, Tenant, User
from tests.corpora.warned import LEAK, warned
from tests.evaluations.conftest import Respond
from tests.evaluations.judges.scripted_model import ScriptedModel, openai_server
from tests.evaluations.reviews.rounds import start
from tests.evaluations.runs.test_outside_models import by_rote

URL = "/api/v1/evaluations/"
NOWHERE = "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11"


@pytest.fixture
def judge(in_tenant: Tenant, settings: Settings) -> Iterator[Judge]:
    """Its model is right every other time."""
    with openai_server(ScriptedModel(chats=by_rote)) as address:
        settings.JUDGE_PRIVATE_HOSTS = [urlsplit(address).netloc]
        yield create_judge(tenant=in_tenant, name="GPT", kind=JudgeKind.OPENAI, model="gpt-large", address=address)


@pytest.fixture
def data(version: AdapterVersion) -> DatasetVersion:
    """Six held-out rows. The version was trained on others of the same dataset, and takes no part."""
    found: DatasetVersion = version.run.dataset_version
    return found


@pytest.fixture
def evaluate(
    in_tenant: Tenant, data: DatasetVersion, answer_with: Callable[[Respond], None], run_jobs: Callable[..., None]
) -> Callable[..., EvaluationRun]:
    def call(**chosen: Any) -> EvaluationRun:
        answer_with(lambda row, model: "I do not know.")
        run = start_evaluation(tenant=in_tenant, dataset_version=data, **chosen)
        run_jobs()
        run = EvaluationRun.objects.select_related("job", "tenant").get(id=run.id)
        assert run.state == EvaluationState.READY, run.job.error_text
        return run

    return call


@pytest.fixture
def compared(evaluate: Callable[..., EvaluationRun], base_model: BaseModel, judge: Judge) -> EvaluationRun:
    """The base against an outside model."""
    return evaluate(base_model=base_model, outside=[judge])


def test_an_outside_model_alone_needs_no_base(
    in_tenant: Tenant, data: DatasetVersion, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(compute["default"]), "reads_base_model", lambda self, place: False)
    run = start_evaluation(tenant=in_tenant, dataset_version=data, outside=[judge])
    assert [model.kind for model in run.models.all()] == [ModelKind.OUTSIDE]


def test_one_of_the_base_alone_has_figures(
    evaluate: Callable[..., EvaluationRun], base_model: BaseModel, as_alice: Client
) -> None:
    run = evaluate(base_model=base_model)
    assert (run.version, run.about, run.base_model, run.title) == (None, "base", base_model, "Tiny Llama")
    assert run.job.title == "Evaluate Tiny Llama"
    assert [model.key for model in run.models.all()] == ["base"]
    assert run.summary["all"]["figures"]["base"]["exact_match"] == 0.0
    assert run.last_judging is not None
    listed = as_alice.get(reverse("evaluations:list")).content.decode()
    assert "Tiny Llama" in listed
    assert "→" not in listed.split("<table")[1]
    for page in ("detail", "figures"):
        shown = as_alice.get(reverse(f"evaluations:{page}", args=[run.id])).content.decode()
        assert "Got worse" not in shown
        assert "Real difference?" not in shown


def test_the_base_is_compared_with_an_outside_model(compared: EvaluationRun, as_alice: Client) -> None:
    outside = compared.models.get(kind=ModelKind.OUTSIDE)
    (difference,) = [one for one in compared.summary["all"]["differences"] if one["metric"] == "exact_match"]
    assert (difference["model"], difference["against"], difference["mean"]) == ("base", outside.key, -0.5)
    page = as_alice.get(reverse("evaluations:detail", args=[compared.id])).content.decode()
    assert "<title>Evaluation of Tiny Llama" in page
    assert "The base gives the expected answer on 0.0% of 6 held-out rows, gpt-large on 50.0%." in page
    assert "See verdict" not in page
    assert "Promote…" not in page
    assert "Start review round…" in page
    plan = plan_of(Judging(tenant_id=compared.tenant_id, run=compared, judges=[], is_pairwise=True))
    assert plan.pairs == (("base", outside.key),)


def test_outside_models_need_no_base(evaluate: Callable[..., EvaluationRun], judge: Judge, as_alice: Client) -> None:
    run = evaluate(outside=[judge])
    assert (run.about, run.base, run.title) == (f"outside-{judge.id.hex[:8]}", None, "gpt-large")
    assert run.job.title == "Evaluate gpt-large"
    assert run.summary["all"]["figures"][run.about]["exact_match"] == 0.5
    assert "Evaluation of gpt-large" in as_alice.get(reverse("evaluations:detail", args=[run.id])).content.decode()


def test_every_page_of_one_opens(compared: EvaluationRun, as_alice: Client, rita: User) -> None:
    start(compared, rita)
    for name in ("detail", "figures", "agreement", "judge-answers", "start-review-round", "export"):
        assert as_alice.get(reverse(f"evaluations:{name}", args=[compared.id])).status_code == 200, name
    row = as_alice.get(reverse("evaluations:row", args=[compared.id, 1])).content.decode()
    assert "Row 1 of Tiny Llama" in row
    export = as_alice.get(reverse("evaluations:export", args=[compared.id]))
    assert 'filename="Tiny Llama evaluation.csv"' in export["Content-Disposition"]
    assert b"base.answer" in b"".join(export)
    assert "of Tiny Llama" in as_alice.get(reverse("evaluations:reviews")).content.decode()
    overview = as_alice.get("/")
    assert "Tiny Llama" in overview.content.decode()
    assert [step.title for step in overview.context["overview"].steps if step.done] == [
        "Upload a dataset",
        "Train an adapter",
    ]


def test_its_data_names_it(compared: EvaluationRun, data: DatasetVersion, as_alice: Client) -> None:
    use = next(use for use in uses_of([data.id])[data.id] if use.kind == "evaluation")
    assert (use.title, use.adapter, use.url) == ("Tiny Llama", "Tiny Llama", f"/evaluations/{compared.id}/")
    assert use.url in as_alice.get(f"{reverse('corpora:version', args=[data.id])}?tab=uses").content.decode()


def test_leaks_do_not_matter_where_nothing_was_trained(
    compared: EvaluationRun, data: DatasetVersion, as_alice: Client, api: APIClient
) -> None:
    data.profile, data.test_count = warned(), 18
    data.save()
    assert LEAK not in as_alice.get(reverse("evaluations:detail", args=[compared.id])).content.decode()
    assert api.get(f"{URL}{compared.id}/").json()["data_findings"] == []


@pytest.mark.parametrize("kind", ["base", "outside"])
def test_experts_review_any_of_its_models(compared: EvaluationRun, rita: User, kind: str) -> None:
    model = compared.models.get(kind=kind)
    design = Design(candidate=None if kind == "base" else model)
    found = start_round(tenant=compared.tenant, run=compared, design=design, reviewers=[rita])
    assert found.candidate == model
    items = RoundItem.objects.filter(round=found).select_related("answer")
    assert {item.answer.model_id for item in items} == {model.id}


def test_the_form_of_a_round_asks_for_a_model_only_where_there_are_several(
    evaluate: Callable[..., EvaluationRun], compared: EvaluationRun, judge: Judge, as_alice: Client, rita: User
) -> None:
    alone = evaluate(base=False, outside=[judge])
    several = {"candidate", "against", "shape"}
    for run, fields in ((compared, several), (alone, set())):
        form = as_alice.get(reverse("evaluations:start-review-round", args=[run.id])).context["form"]
        assert several & set(form.fields) == fields
    posted = {"answers": 3, "reviewers_per_answer": 1, "reviewers": [str(rita.pk)]}
    as_alice.post(reverse("evaluations:start-review-round", args=[alone.id]), posted)
    assert ReviewRound.objects.get().candidate.kind == "outside"


def test_no_decision_rests_on_one(compared: EvaluationRun, version: AdapterVersion, api: APIClient) -> None:
    with pytest.raises(PortalError, match="This evaluation is about Tiny Llama"):
        open_decision(tenant=compared.tenant, version=version, run=compared, opened_by=None)
    body = {"version": str(version.id), "evaluation": str(compared.id)}
    refused = api.post("/api/v1/decisions/", body, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "decision:other_version")


def test_nothing_is_started_without_models_or_rows(
    in_tenant: Tenant, base_model: BaseModel, judge: Judge, data: DatasetVersion, make_version: Callable[..., Any]
) -> None:
    empty = make_version(rows=0).run.dataset_version
    other = BaseModel.objects.create(name="other", title="Other", location="/nowhere")
    newest = make_version()
    for code, field, chosen in (
        ("evaluation:no_models", "base_model", {"dataset_version": data}),
        ("evaluation:no_models", "base_model", {"dataset_version": data, "base_model": base_model, "base": False}),
        ("evaluation:no_version", "version", {"dataset_version": data, "versions": [newest], "base_model": base_model}),
        ("evaluation:no_rows_chosen", "dataset_version", {"base_model": base_model}),
        ("evaluation:no_rows_chosen", "dataset_version", {"outside": [judge]}),
        ("evaluation:no_test_rows", "dataset_version", {"base_model": base_model, "dataset_version": empty}),
        ("evaluation:rows", "rows", {"base_model": base_model, "dataset_version": data, "rows": 0}),
        ("evaluation:other_base_model", "base_model", {"version": newest, "base_model": other}),
    ):
        with pytest.raises(PortalError) as refusal:
            start_evaluation(tenant=in_tenant, **chosen)
        assert (refusal.value.code, refusal.value.field) == (code, field)
    assert not Job.objects.filter(kind="evaluation").exists()
    assert not EvaluationRun.objects.exists()


def test_a_second_one_about_the_same_model_waits(
    in_tenant: Tenant, base_model: BaseModel, judge: Judge, data: DatasetVersion, version: AdapterVersion
) -> None:
    first = start_evaluation(tenant=in_tenant, base_model=base_model, dataset_version=data)
    with pytest.raises(Conflict, match="Tiny Llama is already being evaluated") as refusal:
        start_evaluation(tenant=in_tenant, base_model=base_model, outside=[judge], dataset_version=data)
    assert (refusal.value.code, refusal.value.field) == ("evaluation:already_running", "base_model")
    other = BaseModel.objects.create(name="other", title="Other", location="/nowhere")
    start_evaluation(tenant=in_tenant, base_model=other, dataset_version=data)
    start_evaluation(tenant=in_tenant, version=version)
    of_outside = start_evaluation(tenant=in_tenant, outside=[judge], dataset_version=data)
    with pytest.raises(Conflict, match="gpt-large is already being evaluated") as refusal:
        start_evaluation(tenant=in_tenant, outside=[judge], dataset_version=data)
    assert refusal.value.field == "outside"
    # What two starts at the same moment come down to.
    for run in (first, of_outside):
        job = Job.objects.create(tenant=in_tenant, kind="evaluation", title="Evaluate")
        values = {"about": run.about, "base_model": run.base_model, "dataset_version": data, "job": job}
        with pytest.raises(IntegrityError, match="evaluation_without_version_running_once"), transaction.atomic():
            EvaluationRun.objects.create(tenant=in_tenant, **values)


def test_one_that_is_about_nothing_cannot_be_stored(in_tenant: Tenant, data: DatasetVersion) -> None:
    job = Job.objects.create(tenant=in_tenant, kind="evaluation", title="Evaluate")
    with pytest.raises(IntegrityError, match="evaluation_about_one_model"), transaction.atomic():
        EvaluationRun.objects.create(tenant=in_tenant, dataset_version=data, job=job)


def test_starting_one_is_recorded(in_tenant: Tenant, base_model: BaseModel, judge: Judge, data: DatasetVersion) -> None:
    start_evaluation(tenant=in_tenant, base_model=base_model, outside=[judge], dataset_version=data)
    event = AuditEvent.objects.get(action="evaluation.started")
    assert event.after == {"models": ["Base", "gpt-large"]}


def test_the_form_starts_one_with_or_without_a_version(
    as_bob: Client, base_model: BaseModel, judge: Judge, data: DatasetVersion, version: AdapterVersion
) -> None:
    url = reverse("evaluations:new")
    page = as_bob.get(url).content.decode()
    for label in ("Base model", "Adapter version", "Outside models", "boxes v1 (on Tiny Llama)", "gpt-large (GPT)"):
        assert label in page
    assert f'<option value="{base_model.id}" selected>' in page
    sent = {"base_model": str(base_model.id), "rows": "100", "dataset_version": str(data.id)}
    started = as_bob.post(url, sent, follow=True).content.decode()
    assert "Evaluation of Tiny Llama" in started
    assert "Tiny Llama is already being evaluated" in as_bob.post(url, sent).content.decode()
    as_bob.post(url, {"version": str(version.id), "rows": "100", "outside": [str(judge.id)]})
    of_version, of_base = EvaluationRun.objects.all()
    assert (of_base.version, of_base.about, of_base.rows_wanted) == (None, "base", 100)
    assert (of_version.version, of_version.about, of_version.dataset_version) == (version, "v1", data)
    assert [model.kind for model in of_version.models.all()] == ["version", "outside"]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ({}, "Choose an adapter version, a base model or an outside model."),
        ({"base_model": "base"}, "Choose the rows that the models answer"),
        ({"base_model": "base", "dataset_version": "empty"}, "Select a valid choice"),
        ({"base_model": NOWHERE}, "Select a valid choice"),
        ({"base_model": "base", "version": NOWHERE}, "Select a valid choice"),
        ({"base_model": "other", "version": "version"}, "is on another base model than Other"),
    ],
)
def test_the_form_says_what_is_missing(
    as_bob: Client, base_model: BaseModel, version: AdapterVersion, make_version: Callable[..., Any],
    in_tenant: Tenant, sent: dict[str, str], text: str,
) -> None:  # fmt: skip
    empty = Adapter.objects.create(tenant=in_tenant, name="empty", base_model=base_model)
    other = BaseModel.objects.create(name="other", title="Other", location="/nowhere")
    ids = {
        "base": base_model.id,
        "other": other.id,
        "version": version.id,
        "empty": make_version(rows=0).run.dataset_version_id,
    }
    AdapterVersion.objects.exclude(id=version.id).update(adapter=empty)
    values = {name: str(ids.get(value, value)) for name, value in sent.items()}
    page = as_bob.post(reverse("evaluations:new"), {"rows": "100", **values}).content.decode()
    assert text in page.replace("&#x27;", "'")
    assert not EvaluationRun.objects.exists()


def test_the_form_asks_for_rows_where_there_are_no_versions(as_bob: Client, base_model: BaseModel) -> None:
    page = as_bob.get(reverse("evaluations:new")).content.decode()
    assert "Adapter version" not in page.split("<main")[1]
    assert "This field is required." in as_bob.post(reverse("evaluations:new"), {"rows": "1"}).content.decode()


def test_one_that_failed_is_started_again_with_the_same_choices(
    as_bob: Client, in_tenant: Tenant, base_model: BaseModel, data: DatasetVersion
) -> None:
    run = start_evaluation(tenant=in_tenant, base_model=base_model, dataset_version=data)
    EvaluationRun.objects.filter(id=run.id).update(state=EvaluationState.FAILED)
    page = as_bob.get(reverse("evaluations:detail", args=[run.id])).content.decode()
    again = f"{reverse('evaluations:new')}?base_model={base_model.id}&amp;dataset_version={data.id}"
    assert f'href="{again}"' in page
    form = as_bob.get(again.replace("&amp;", "&")).content.decode()
    assert f'<option value="{data.id}" selected>' in form


def test_over_rest(
    api: APIClient, other_api: APIClient, base_model: BaseModel, judge: Judge, data: DatasetVersion
) -> None:
    body = {"base_model": "tiny-llama", "outside": [str(judge.id)], "dataset_version": str(data.id)}
    created = api.post(URL, body, format="json")
    assert created.status_code == 201, created.json()
    found = created.json()
    assert {name: found[name] for name in ("version", "version_name", "about", "title", "base_model")} == {
        "version": None,
        "version_name": None,
        "about": "base",
        "title": "Tiny Llama",
        "base_model": "tiny-llama",
    }
    assert [model["name"] for model in found["models"]] == ["Base", "gpt-large"]
    assert api.get(f"{URL}{found['id']}/").json() == api.get(URL).json()["results"][0]
    listed = {answer: api.get(URL, {"without_version": answer}).json()["results"] for answer in ("true", "false")}
    assert ([one["id"] for one in listed["true"]], listed["false"]) == ([found["id"]], [])
    again = api.post(URL, body, format="json")
    assert (again.status_code, again.json()["code"], again.json()["field"]) == (
        409,
        "evaluation:already_running",
        "base_model",
    )
    assert other_api.get(f"{URL}{found['id']}/").status_code == 404
    assert other_api.post(URL, body, format="json").status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"base_model": None}, 400, "evaluation:no_models"),
        ({"base_model": "nothing"}, 404, "portal:not_found"),
        ({"base_model": "not a slug"}, 400, "request:invalid"),
        ({"dataset_version": None}, 400, "evaluation:no_rows_chosen"),
        ({"dataset_version": NOWHERE}, 404, "portal:not_found"),
        ({"versions": ["version"]}, 400, "evaluation:no_version"),
        ({"outside": [NOWHERE]}, 404, "portal:not_found"),
    ],
)
def test_rest_says_what_is_wrong(
    api: APIClient, base_model: BaseModel, data: DatasetVersion, version: AdapterVersion, changes: dict[str, Any],
    status: int, code: str,
) -> None:  # fmt: skip
    if "versions" in changes:
        changes = {"versions": [str(version.id)]}
    body = {"base_model": "tiny-llama", "dataset_version": str(data.id), **changes}
    answer = api.post(URL, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert api.get(URL).json()["results"] == []


def test_nobody_else_starts_or_sees_one(
    as_rita: Client, as_charlie: Client, in_tenant: Tenant, base_model: BaseModel, data: DatasetVersion
) -> None:
    sent = {"base_model": str(base_model.id), "rows": "100", "dataset_version": str(data.id)}
    assert as_rita.post(reverse("evaluations:new"), sent).status_code == 403
    assert "Select a valid choice" in as_charlie.post(reverse("evaluations:new"), sent).content.decode()
    assert not EvaluationRun.objects.exists()
    run = start_evaluation(tenant=in_tenant, base_model=base_model, dataset_version=data)
    assert as_charlie.get(reverse("evaluations:detail", args=[run.id])).status_code == 404
    assert as_charlie.get(reverse("evaluations:detail", args=[uuid4()])).status_code == 404
