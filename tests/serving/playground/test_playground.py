"""Base and adapter side by side, counted as usage."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from adapters.models import AdapterVersion
from evaluations.models import EvaluationItem
from lorakit.contracts import InvocationRecord
from metering.ledger.collector import collect
from metering.models import Invocation
from serving.backends.vllm import VllmEndpoint
from serving.models import Endpoint
from serving.playground import panes as playground
from tenants.models import Tenant
from tests.serving.gateway.gateway_client import new_line, put_live

pytestmark = pytest.mark.django_db
MakeVersion = Callable[..., AdapterVersion]
QUESTION = {"alias": "legal", "prompt": "Repeat: amber.", "max_tokens": "8"}
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def ledger_folder(tmp_path: Path, settings: object) -> Iterator[Path]:
    settings.LEDGER_DIR = tmp_path / "ledger"  # type: ignore[attr-defined]
    playground._ledger.cache_clear()
    yield tmp_path / "ledger"
    playground._ledger().close()
    playground._ledger.cache_clear()


def records(folder: Path) -> list[InvocationRecord]:
    return [InvocationRecord.from_json(line) for f in folder.glob("*.jsonl") for line in f.read_bytes().splitlines()]


@pytest.fixture
def live(
    tenant: Tenant,
    vllm: VllmEndpoint,
    endpoint: Endpoint,
    make_version: MakeVersion,
    true_answers: Callable[[int], tuple[tuple[str, str], ...]],
) -> str:
    """One live alias; returns its true answer to QUESTION."""
    line = new_line(tenant)
    put_live(line, vllm, endpoint, make_version(tenant, "legal", 1, answers=true_answers(1)))
    return line.answers["legal", 1]


def test_both_answer_and_both_count(as_bob: Client, live: str, ledger_folder: Path, in_tenant: Tenant) -> None:
    page = as_bob.post("/serving/playground/ask/", QUESTION).content.decode()
    assert "Base: Tiny Llama" in page
    assert "Adapter: legal v1" in page
    assert live in page
    assert {(r.alias, r.status, r.key_id) for r in records(ledger_folder)} == {
        ("legal", 200, ""),
        ("tiny-llama", 200, ""),
    }
    assert collect(ledger_folder) == 2
    assert set(Invocation.objects.values_list("alias", "key_id")) == {("legal", None), ("tiny-llama", None)}


def test_htmx_gets_a_place_for_each_answer_and_then_the_answer(as_bob: Client, live: str, ledger_folder: Path) -> None:
    part = as_bob.post("/serving/playground/ask/", QUESTION, headers=HTMX).content.decode()
    assert part.lstrip().startswith('<div id="answers"')
    assert part.count("Answering…") == 2
    assert live not in part
    assert not ledger_folder.exists()

    answer = as_bob.post("/serving/playground/ask/adapter/", QUESTION, headers=HTMX).content.decode()
    assert "Adapter: legal v1" in answer
    assert live in answer
    assert "hx-post" not in answer
    assert [record.alias for record in records(ledger_folder)] == ["legal"]
    base = as_bob.post("/serving/playground/ask/base/", QUESTION, headers=HTMX).content.decode()
    assert "Base: Tiny Llama" in base
    assert [record.alias for record in records(ledger_folder)] == ["legal", "tiny-llama"]


def test_each_answer_says_whether_it_is_the_expected_one(as_bob: Client, live: str, in_tenant: Tenant) -> None:
    item = EvaluationItem.objects.get(position=1)
    question = {**QUESTION, "example": str(item.id), "max_tokens": "16"}
    places = as_bob.post("/serving/playground/ask/", question, headers=HTMX).content.decode()
    assert "Expected answer" in places
    assert "As expected" not in places
    shown = [as_bob.post(f"/serving/playground/ask/{key}/", question).content.decode() for key in ("adapter", "base")]
    assert ["As expected" in one for one in shown] == [True, False]


@pytest.mark.parametrize("change", [{"prompt": " "}, {"alias": "nobodys"}, {"max_tokens": "0"}])
def test_a_question_that_changed_meanwhile_is_not_asked(
    as_bob: Client, live: str, ledger_folder: Path, change: dict[str, str]
) -> None:
    answer = as_bob.post("/serving/playground/ask/base/", {**QUESTION, **change}, headers=HTMX)
    assert "Ask again" in answer.content.decode()
    assert not ledger_folder.exists()


def test_there_is_no_third_model_to_ask(as_bob: Client, live: str) -> None:
    assert as_bob.post("/serving/playground/ask/other/", QUESTION, headers=HTMX).status_code == 404


def test_a_held_out_row_fills_the_form_and_shows_what_to_expect(as_bob: Client, live: str, in_tenant: Tenant) -> None:
    item = EvaluationItem.objects.get(position=1)
    page = as_bob.get("/serving/playground/", {"alias": "legal", "example": str(item.id)}).content.decode()
    assert "Repeat: amber.</textarea>" in page
    question = {**QUESTION, "example": str(item.id), "max_tokens": "16"}
    page = as_bob.post("/serving/playground/ask/", question).content.decode()
    assert "Expected answer" in page
    assert page.count("As expected") == 1
    other = {**question, "prompt": "Total: 42."}
    assert "Expected answer" not in as_bob.post("/serving/playground/ask/", other).content.decode()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"prompt": " "}, "Enter a prompt"),
        ({"prompt": "x" * 20_001}, "at most 20000"),
        ({"max_tokens": "0"}, "greater than or equal to 1"),
        ({"max_tokens": "many"}, "whole number"),
        ({"alias": "nobodys"}, "not one of the available choices"),
        ({"example": "x"}, "valid UUID"),
    ],
)
def test_a_wrong_form_is_told(
    as_bob: Client, live: str, ledger_folder: Path, change: dict[str, str], text: str
) -> None:
    answer = as_bob.post("/serving/playground/ask/", {**QUESTION, **change})
    assert answer.status_code == 422
    assert text in answer.content.decode()
    part = as_bob.post("/serving/playground/ask/", {**QUESTION, **change}, headers=HTMX)
    assert part.status_code == 200
    assert text in part.content.decode()
    assert not ledger_folder.exists()


def test_a_question_that_is_too_long_for_the_model_is_explained(as_bob: Client, live: str) -> None:
    page = as_bob.post("/serving/playground/ask/", {**QUESTION, "prompt": "w0rd " * 3000}).content.decode()
    assert page.count("context is 2048 tokens") == 2


def test_an_engine_that_lost_the_adapter_is_explained(
    as_bob: Client, live: str, vllm: VllmEndpoint, ledger_folder: Path
) -> None:
    for name in vllm.list():
        vllm.delete(name)
    page = as_bob.post("/serving/playground/ask/", QUESTION).content.decode()
    assert "not on the endpoint right now" in page
    assert {(r.alias, r.status) for r in records(ledger_folder)} == {("legal", 503), ("tiny-llama", 200)}


def test_without_a_live_adapter_it_says_what_to_do(as_bob: Client) -> None:
    assert "No live adapters yet" in as_bob.get("/serving/playground/").content.decode()
    assert as_bob.post("/serving/playground/ask/", QUESTION).status_code == 422


def test_charlie_can_ask_nothing_of_it(as_charlie: Client, live: str, in_tenant: Tenant, ledger_folder: Path) -> None:
    example = EvaluationItem.objects.get(position=1)
    answer = as_charlie.post("/serving/playground/ask/", {**QUESTION, "example": str(example.id)})
    assert answer.status_code == 422
    assert live not in answer.content.decode()
    assert not ledger_folder.exists()
