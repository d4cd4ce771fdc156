"""What needs no training answers an evaluation's rows, and changes nothing else that the evaluation says."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from adapters.models import AdapterVersion
from evaluations.gates.evidence import roles_of, rows_of
from evaluations.metrics.encoders import Encoder, EncoderError, Vectors, encoders
from evaluations.models import Answer, Decision, EvaluationRun, EvaluationState
from evaluations.runs.judgings.rows import plan_of, rows_from
from evaluations.runs.kinds import EvaluationKind
from evaluations.runs.report import compared_with, headline
from evaluations.runs.services import start_evaluation
from jobs.outcomes import JobError, Running
from storage.objects import object_key
from tenants.models import Tenant
from tests.evaluations.alternatives.sample import held_out, training
from tests.evaluations.conftest import Respond, reference_of

KEYS = ["base", "v1", "few_shot", "look_up", "classifier"]

Evaluate = Callable[..., EvaluationRun]


def respond(row: dict[str, Any], model: str) -> str:
    """The adapter knows every answer, and the base only what it is shown."""
    return "card_lost" if model == "base" else reference_of(row)


@pytest.fixture
def labelled(make_version: Callable[..., AdapterVersion]) -> AdapterVersion:
    return make_version(training=training(), held_out=held_out())


@pytest.fixture
def evaluate(in_tenant: Tenant, answer_with: Callable[[Respond], None], run_jobs: Callable[..., None]) -> Evaluate:
    def call(version: AdapterVersion, **options: Any) -> EvaluationRun:
        answer_with(respond)
        run = start_evaluation(tenant=in_tenant, version=version, **options)
        run_jobs()
        found: EvaluationRun = EvaluationRun.objects.select_related("job", "version__adapter").get(id=run.id)
        assert found.state == EvaluationState.READY, found.job.error_text
        return found

    return call


def test_each_alternative_answers_and_is_scored(evaluate: Evaluate, labelled: AdapterVersion) -> None:
    run = evaluate(labelled)
    assert [model.key for model in run.models.all()] == KEYS
    assert [model.key for model in run.contenders] == ["base", "v1"]
    figures = {key: one["exact_match"] for key, one in run.summary["all"]["figures"].items()}
    assert figures == {"base": pytest.approx(1 / 3), "v1": 1.0, "few_shot": 1.0, "look_up": 1.0, "classifier": 1.0}
    assert run.models.get(key="look_up").facts == {
        "likeness": "words and characters",
        "by_meaning": False,
        "rows": 9,
        "of": 9,
        "left_out": 0,
    }
    shown = Answer.objects.filter(model__key="few_shot").values_list("examples", "prompt_tokens")
    assert set(shown) == {(8, 11)}


def test_prompts_show_the_nearest_rows_of_training(evaluate: Evaluate, labelled: AdapterVersion) -> None:
    run = evaluate(labelled)
    item = run.items.get(reference="refund")
    asked = {row["messages"][0]["content"] for row in held_out()}
    key = object_key(run.tenant_id, "evaluations", str(run.id), "prompts.jsonl")
    [line] = [
        line
        for text in default_storage.open(key).read().splitlines()
        if (line := json.loads(text))["id"] == f"{item.position}-examples"
    ]
    questions = [example[0]["content"] for example in line["examples"]]
    assert len(questions) == 8
    assert all("refund" in question for question in questions[:3])
    assert not asked & set(questions)


def test_they_change_nothing_that_is_said_of_the_others(evaluate: Evaluate, labelled: AdapterVersion) -> None:
    plain, run = evaluate(labelled, alternatives=False), evaluate(labelled)
    assert plain.has_alternatives is False
    assert [model.key for model in plain.models.all()] == ["base", "v1"]
    mine = [one for one in run.summary["all"]["differences"] if {one["model"], one["against"]} <= {"base", "v1"}]
    assert mine == plain.summary["all"]["differences"]
    assert run.summary["all"]["unavailable"] == plain.summary["all"]["unavailable"]
    assert compared_with(run) == "base"
    assert headline(run) == headline(plain)
    assert run.last_judging is not None
    assert plain.last_judging is not None
    assert run.last_judging.summary == plain.last_judging.summary


def test_they_are_not_judged(evaluate: Evaluate, labelled: AdapterVersion) -> None:
    run = evaluate(labelled)
    assert {key for row in rows_from(run) for key in row.answers} == {"base", "v1"}
    judging = run.last_judging
    assert judging is not None
    judging.is_pairwise = True
    assert plan_of(judging).pairs == (("v1", "base"),)


def test_texts_are_not_classified(evaluate: Evaluate, make_version: Callable[..., AdapterVersion]) -> None:
    rows = [
        {**row, "messages": [row["messages"][0], {"role": "assistant", "content": row["id"]}]} for row in training()
    ]
    run = evaluate(make_version(training=rows))
    assert [model.key for model in run.models.all()] == ["base", "v1", "few_shot", "look_up"]


def test_without_stored_training_rows_it_goes_on(
    evaluate: Evaluate, labelled: AdapterVersion, version: AdapterVersion
) -> None:
    default_storage.delete(labelled.run.dataset_version.train_key)
    for one in (labelled, version):
        run = evaluate(one)
        assert run.has_alternatives is False
        assert {model.key for model in run.models.all()} == {"base", f"v{one.number}"}


def test_nothing_but_held_out_rows_leaves_nothing_to_answer_from(
    evaluate: Evaluate, make_version: Callable[..., AdapterVersion]
) -> None:
    run = evaluate(make_version(training=held_out(), held_out=held_out()))
    assert run.has_alternatives is False


def test_answers_with_examples_are_taken_from_an_earlier_evaluation(
    evaluate: Evaluate, labelled: AdapterVersion
) -> None:
    evaluate(labelled)
    again = evaluate(labelled)
    assert not again.job.external_name
    assert set(Answer.objects.filter(model__run=again, model__key="few_shot").values_list("examples", flat=True)) == {8}


@pytest.mark.parametrize(("sent", "wanted"), [({"alternatives": "on"}, True), ({}, False)])
def test_the_form_turns_them_off(
    as_bob: Client, in_tenant: Tenant, labelled: AdapterVersion, sent: Any, wanted: bool
) -> None:
    address = reverse("evaluations:start", args=[labelled.id])
    page = as_bob.get(address).content.decode()
    assert 'name="alternatives"' in page
    as_bob.post(address, {"base": "on", "dataset_version": str(labelled.run.dataset_version_id), "rows": "10", **sent})
    assert EvaluationRun.objects.get().has_alternatives is wanted


@pytest.mark.parametrize(("sent", "wanted"), [({}, True), ({"alternatives": False}, False)])
def test_so_does_rest(as_bob: Client, in_tenant: Tenant, labelled: AdapterVersion, sent: Any, wanted: bool) -> None:
    body = {"version": str(labelled.id), **sent}
    response = as_bob.post("/api/v1/evaluations/", body, content_type="application/json")
    assert response.status_code == 201, response.content
    assert EvaluationRun.objects.get().has_alternatives is wanted


def test_rest_refuses_what_is_neither(as_bob: Client, labelled: AdapterVersion) -> None:
    body = {"version": str(labelled.id), "alternatives": "perhaps"}
    response = as_bob.post("/api/v1/evaluations/", body, content_type="application/json")
    assert response.status_code == 400
    assert "alternatives" in response.content.decode()


def test_the_grid_shows_one_where_it_is_chosen(as_bob: Client, evaluate: Evaluate, labelled: AdapterVersion) -> None:
    run = evaluate(labelled)
    address = reverse("evaluations:detail", args=[run.id])
    cells = 'class="chip-name"'
    assert as_bob.get(address).content.decode().count(cells) == 2
    assert as_bob.get(address, {"against": "look_up"}).content.decode().count(cells) == 3
    row = as_bob.get(reverse("evaluations:row", args=[run.id, 1])).content.decode()
    assert all(name in row for name in ("Base with examples", "Look-up", "Classifier"))


def test_pages_and_rest_say_whether_training_was_needed(
    as_bob: Client, evaluate: Evaluate, labelled: AdapterVersion
) -> None:
    run = evaluate(labelled)
    need = as_bob.get(f"/api/v1/evaluations/{run.id}/").json()["need"]
    assert (need["verdict"], need["metric"]) == ("too few", "exact_match")
    by_key = {one["key"]: one for one in need["alternatives"]}
    assert by_key.keys() == {"base", "few_shot", "look_up", "classifier"}
    assert by_key["few_shot"] | {"seconds": 0} == by_key["few_shot"] | {
        "score": 1.0,
        "prompt_tokens": 11.0,
        "completion_tokens": 3.0,
        "examples": 8.0,
        "training_rows": 9,
        "likeness": "words and characters",
        "verdict": "unclear",
        "seconds": 0,
    }
    figures = as_bob.get(reverse("evaluations:figures", args=[run.id])).content.decode()
    assert 'data-testid="need-verdict"' in figures
    assert "against=base&amp;show=better" in figures
    for address in (
        reverse("evaluations:detail", args=[run.id]),
        reverse("adapters:version", args=[labelled.id]),
    ):
        page = as_bob.get(address).content.decode()
        assert 'data-testid="need-note"' in page
        assert f"{reverse('evaluations:figures', args=[run.id])}#need" in page


def test_an_evaluation_without_alternatives_says_nothing_of_it(
    as_bob: Client, evaluate: Evaluate, version: AdapterVersion
) -> None:
    run = evaluate(version)
    assert as_bob.get(f"/api/v1/evaluations/{run.id}/").json()["need"] is None
    assert "Did it need training" not in as_bob.get(reverse("evaluations:figures", args=[run.id])).content.decode()


class Away(Encoder):
    """Replies only once it is `back`."""

    model = "away"
    back = False

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not self.back:
            raise EncoderError("The encoder cannot be reached.", after=0.0)
        return np.array([[len(text), 1.0] for text in texts])


def test_an_encoder_that_is_away_is_waited_for(
    in_tenant: Tenant,
    labelled: AdapterVersion,
    answer_with: Callable[[Respond], None],
    run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    answer_with(respond)
    away = Away("default", {})
    settings.ENCODERS = {"default": {"BACKEND": "unused", "OPTIONS": {}}}
    monkeypatch.setattr(encoders, "built", {"default": away})
    run = start_evaluation(tenant=in_tenant, version=labelled)
    job, kind = run.job, EvaluationKind()
    assert kind.step(job) == Running(after=0.0, phase="preparing")
    job.phase = "preparing"
    waiting = kind.step(job)
    assert isinstance(waiting, Running)
    assert waiting.waits_for == JobError(code="platform:encoder", text="The encoder cannot be reached.", temporary=True)
    away.back = True
    run_jobs()
    run = EvaluationRun.objects.get(id=run.id)
    assert run.state == EvaluationState.READY
    assert run.models.get(key="look_up").facts["likeness"] == "away"
    assert "embedding_similarity" in run.summary["all"]["figures"]["v1"]


def test_a_gate_does_not_see_them(evaluate: Evaluate, labelled: AdapterVersion) -> None:
    run = evaluate(labelled)
    decision = Decision(tenant=run.tenant, run=run, version=labelled, number=1)
    assert sorted(roles_of(decision).values()) == ["base", "own"]
    [first, *_] = rows_of(decision, None)
    assert first.answers.keys() == {"base", "own"}
