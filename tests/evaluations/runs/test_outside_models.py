"""Outside models answer the same rows over an OpenAI-compatible connection."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db.models import Sum
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from evaluations.judges import calling
from evaluations.judges.backends.chats import answer_of, log_probability_of, sent
from evaluations.judges.services import change_judge, create_judge
from evaluations.judging.jurors import juror_of
from evaluations.models import Answer, EvaluationRun, EvaluationState, Judge, JudgeKind, JudgeUsage
from evaluations.runs.services import start_evaluation
from evaluations.runs.stages.outside import ask_outside
from evaluations.runs.stages.rows import store_rows
from jobs.outcomes import Running
from rest.errors import PortalError
from tenants.models import Tenant
from tests.evaluations.conftest import Respond, good_adapter
from tests.evaluations.judges.scripted_model import Said, ScriptedModel, openai_server


def by_rote(body: dict[str, Any]) -> Said:
    """Knows where the boxes with even numbers are."""
    number = int(body["messages"][-1]["content"].rstrip("?").rsplit(" ", 1)[1])
    return Said(text="I cannot say." if number % 2 else f"SHELF {number % 7} row {number}")


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(chats=by_rote)


@pytest.fixture
def judge(in_tenant: Tenant, model: ScriptedModel, settings: Settings) -> Iterator[Judge]:
    with openai_server(model) as address:
        settings.JUDGE_PRIVATE_HOSTS = [urlsplit(address).netloc]
        prices: dict[str, Any] = {"price_in": Decimal(2), "price_out": Decimal(8)}
        yield create_judge(
            tenant=in_tenant, name="GPT", kind=JudgeKind.OPENAI, model="gpt-large", address=address, **prices
        )


@pytest.fixture
def evaluate(
    in_tenant: Tenant,
    version: AdapterVersion,
    judge: Judge,
    answer_with: Callable[[Respond], None],
    run_jobs: Callable[..., None],
) -> Callable[[], EvaluationRun]:
    def call() -> EvaluationRun:
        answer_with(good_adapter)
        run = start_evaluation(tenant=in_tenant, version=version, outside=[judge])
        run_jobs()
        return EvaluationRun.objects.select_related("job").get(id=run.id)

    return call


def test_they_answer_beside_base_and_adapter(evaluate: Callable[[], EvaluationRun], model: ScriptedModel) -> None:
    run = evaluate()
    assert run.state == EvaluationState.READY, run.job.error_text
    *_, outside = run.models.all()
    assert (outside.name, outside.kind) == ("gpt-large", "outside")
    figures = run.summary["all"]["figures"]
    assert (figures["base"]["exact_match"], figures[outside.key]["exact_match"], figures["v1"]["exact_match"]) == (
        0.0,
        0.5,
        1.0,
    )
    answers = Answer.objects.filter(model=outside)
    assert {answer.usd is not None and answer.usd > 0 for answer in answers} == {True}
    assert len(model.headers) == 6
    used = JudgeUsage.objects.filter(purpose="answering", paid_to="provider", judge_name="GPT")
    assert used.aggregate(Sum("calls"), Sum("usd")) == {
        "calls__sum": 6,
        "usd__sum": sum(answer.usd or 0 for answer in answers),
    }


def test_nothing_is_paid_twice(evaluate: Callable[[], EvaluationRun], model: ScriptedModel) -> None:
    evaluate()
    again = evaluate()
    assert again.state == EvaluationState.READY
    assert len(model.headers) == 6
    assert not Answer.objects.filter(model__run=again).exclude(usd=None).exists()
    assert sum(JudgeUsage.objects.values_list("calls", flat=True)) == 6


def test_what_it_declines_is_an_empty_answer(evaluate: Callable[[], EvaluationRun], model: ScriptedModel) -> None:
    model.chats = lambda body: Said(fault="refused")
    run = evaluate()
    assert run.state == EvaluationState.READY
    assert {answer.text for answer in Answer.objects.filter(model__kind="outside")} == {"I can't help with that."}


def test_a_row_that_is_never_answered_does_not_end_the_evaluation(
    evaluate: Callable[[], EvaluationRun], model: ScriptedModel, as_alice: Client
) -> None:
    model.chats = lambda body: Said(fault="rejected") if "box 5?" in body["messages"][-1]["content"] else by_rote(body)
    run = evaluate()
    assert run.state == EvaluationState.READY
    failed = Answer.objects.get(model__kind="outside", is_right=False, text="")
    assert (failed.item.position, failed.error) == (5, "rejected")
    assert "1 row without an answer, counted as wrong" in as_alice.get(f"/evaluations/{run.id}/").content.decode()
    # A later evaluation asks again.
    model.chats = by_rote
    assert not Answer.objects.filter(model__run=evaluate()).exclude(error="").exists()


def test_one_that_takes_no_request_at_all_fails_the_evaluation(
    evaluate: Callable[[], EvaluationRun], model: ScriptedModel
) -> None:
    model.chats = lambda body: Said(fault="rejected")
    assert evaluate().state == EvaluationState.FAILED


def test_one_that_is_away_is_waited_for(
    in_tenant: Tenant, version: AdapterVersion, judge: Judge, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "FIRST_WAIT", 0.001)
    run = start_evaluation(tenant=in_tenant, version=version, base=False, outside=[judge])
    store_rows(run)
    model.chats = lambda body: Said(fault="unavailable")
    waiting = ask_outside(run)
    assert waiting is not None
    assert waiting.waits_for is not None
    assert waiting.waits_for.text.startswith("gpt-large: The judge’s server returned an error (status 503).")
    assert waiting.after >= 30
    model.chats = by_rote
    juror_of(judge).caller.breaker = calling.Breaker()
    assert ask_outside(run) == Running(after=0.0, phase="asking", fraction=1.0)
    assert ask_outside(run) is None


def test_one_that_cannot_be_asked_fails_the_evaluation_in_words(
    evaluate: Callable[[], EvaluationRun], model: ScriptedModel
) -> None:
    model.chats = lambda body: Said(fault="unauthorised")
    run = evaluate()
    assert run.state == EvaluationState.FAILED
    assert run.job.error_code == "evaluation:outside_model"
    assert "gpt-large: The judge’s server refused the secret" in run.job.error_text


def test_one_that_was_changed_is_not_mixed(
    in_tenant: Tenant, version: AdapterVersion, judge: Judge, answer_with: Callable[[Respond], None],
    run_jobs: Callable[..., None],
) -> None:  # fmt: skip
    answer_with(good_adapter)
    run = start_evaluation(tenant=in_tenant, version=version, outside=[judge])
    Judge.objects.filter(id=judge.id).update(model="other")
    run_jobs()
    run = EvaluationRun.objects.select_related("job").get(id=run.id)
    assert (run.state, "changed in the meantime" in run.job.error_text) == (EvaluationState.FAILED, True)


def test_bedrock_only_judges(in_tenant: Tenant, version: AdapterVersion) -> None:
    values = {"kind": JudgeKind.BEDROCK, "model": "claude", "region": "eu-west-1", "secret": "key"}
    with pytest.raises(PortalError, match="can only judge"):
        start_evaluation(
            tenant=in_tenant,
            version=version,
            outside=[create_judge(tenant=in_tenant, name="Claude", **values)],  # type: ignore[arg-type]
        )


def test_over_rest(api: APIClient, other_api: APIClient, version: AdapterVersion, judge: Judge) -> None:
    body = {"version": str(version.id), "outside": [str(judge.id)], "base": False}
    created = api.post("/api/v1/evaluations/", body, format="json")
    assert [model["name"] for model in created.json()["models"]] == ["v1", "gpt-large"]
    assert api.post("/api/v1/evaluations/", {**body, "outside": [str(version.id)]}, format="json").status_code == 404


def test_calls_are_compared_as_in_our_rows() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "find_box", "arguments": {"box": 8}}}
    theirs = sent({"role": "assistant", "content": "", "tool_calls": [call], "reasoning_content": "Hm."})
    assert theirs["tool_calls"][0]["function"]["arguments"] == '{"box": 8}'
    assert "reasoning_content" not in theirs
    assert answer_of(theirs) == '{"name": "find_box", "arguments": {"box": 8}}'
    assert answer_of({"content": None, "refusal": "No."}) == "No."


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"logprobs": {"content": [{"logprob": -0.5}, {"logprob": -0.25}]}}, -0.75),
        ({"logprobs": {"content": [{"logprob": "x"}]}}, None),
        ({"logprobs": None}, None),
        ({}, None),
    ],
)
def test_probabilities_are_taken_where_there_are_any(choice: dict[str, Any], expected: float | None) -> None:
    assert log_probability_of(choice) == expected


def test_neither_secret_nor_texts_reach_a_log(
    evaluate: Callable[[], EvaluationRun], model: ScriptedModel, judge: Judge, capfd: pytest.CaptureFixture[str]
) -> None:
    change_judge(judge=judge, secret="sk-secret-of-the-judge")
    asked: list[str] = []

    def unwell(body: dict[str, Any]) -> Said:
        asked.append(body["messages"][-1]["content"])
        return Said(text="a\x00b\ud800") if len(asked) % 2 else Said(fault="rejected")

    model.chats = unwell
    evaluate()
    logged = "".join(capfd.readouterr())
    assert asked
    assert not [text for text in ("sk-secret", "Which shelf", "SHELF") if text in logged]
