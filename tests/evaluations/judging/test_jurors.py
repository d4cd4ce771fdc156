"""Who judges is identified by what it computes, and its health is known from one step to the next."""

from typing import Any

import pytest
from pytest_django import Settings

from evaluations.judges.backends import judges
from evaluations.judges.prompts import CORRECT, prompt_for
from evaluations.judges.services import change_judge, create_judge, delete_judge
from evaluations.judging.jurors import JuryChanged, juror_of, jury_of, shared_juror
from tenants.models import Tenant

OPENAI: dict[str, Any] = {"name": "Strict", "kind": "openai", "model": "grader", "address": "https://judge.example/v1"}
PROMPT = prompt_for(CORRECT, messages=[], reference="r", answer="a")
SHARED = {"BACKEND": "evaluations.judges.backends.openai.OpenAIJudge"}


def test_a_new_name_or_secret_keeps_the_verdicts(in_tenant: Tenant) -> None:
    judge = create_judge(tenant=in_tenant, **OPENAI)
    before = juror_of(judge)
    after = juror_of(change_judge(judge=judge, name="Other", secret="sk-new"))
    assert after.name == "Other"
    assert after.key(PROMPT) == before.key(PROMPT)
    assert after.caller is not before.caller, "the new secret must be used"


def test_another_model_has_other_verdicts(in_tenant: Tenant) -> None:
    judge = create_judge(tenant=in_tenant, **OPENAI)
    before = juror_of(judge)
    assert juror_of(change_judge(judge=judge, model="better")).key(PROMPT) != before.key(PROMPT)


def test_a_judges_health_is_kept_from_step_to_step(in_tenant: Tenant) -> None:
    judge = create_judge(tenant=in_tenant, requests_per_minute=60, **OPENAI)
    assert juror_of(judge).caller is juror_of(judge).caller
    assert shared_juror("default").caller is shared_juror("default").caller


def test_another_prompt_has_another_key() -> None:
    juror = shared_juror("default")
    assert juror.key(PROMPT) != juror.key(prompt_for(CORRECT, messages=[], reference="r", answer="b"))


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"API_KEY": "other"}, True),
        ({"TIMEOUT_SECONDS": 5.0}, True),
        ({"PRICE_IN": 1}, True),
        ({"MODEL": "other"}, False),
        ({"TEMPERATURE": 0.5}, False),
        ({"MAX_TOKENS": 64}, False),
        ({"URL": "http://127.0.0.1:8/v1"}, False),
    ],
)
def test_a_shared_judge_is_what_its_options_compute(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], same: bool
) -> None:
    found = []
    for options in ({}, changes):
        monkeypatch.setattr(judges, "built", {})
        settings.JUDGES = {"x": {**SHARED, "OPTIONS": {"URL": "http://127.0.0.1:9/v1", "MODEL": "m", **options}}}
        found.append(shared_juror("x").fingerprint)
    assert (found[0] == found[1]) is same


def test_the_reference_grader_is_no_language_model() -> None:
    juror = shared_juror("default")
    assert (juror.is_llm, juror.most_calls, juror.judge_id) == (False, 1, None)


def test_a_jury_is_read_back_as_it_was(in_tenant: Tenant) -> None:
    jury = [juror_of(create_judge(tenant=in_tenant, **OPENAI)), shared_juror("default")]
    assert jury_of([juror.to_dict() for juror in jury]) == jury


def test_a_jury_that_changed_is_refused(in_tenant: Tenant) -> None:
    judge = create_judge(tenant=in_tenant, **OPENAI)
    recorded = juror_of(judge).to_dict()
    change_judge(judge=judge, temperature=0.5)
    with pytest.raises(JuryChanged, match="“Strict” was changed"):
        jury_of([recorded])
    delete_judge(judge=judge)
    with pytest.raises(JuryChanged, match="“Strict” no longer exists"):
        jury_of([recorded])
    with pytest.raises(JuryChanged, match="no longer exists"):
        jury_of([{"alias": "gone", "name": "Gone", "fingerprint": "f", "is_llm": True}])
