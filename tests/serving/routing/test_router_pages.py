"""The list and the editor of routers, without a browser's scripts."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from serving.models import Router, RouterHits
from serving.routing.document import RouterDocument, RuleDraft, document_of
from serving.routing.learning import learn
from serving.routing.services import create_router
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.routing.test_learning import train_on

pytestmark = pytest.mark.django_db
LIST, NEW = "/serving/routers/", "/serving/routers/new/"
RULES = [("keyword", "refund\ninvoice", "billing"), ("pattern", r"§\s*\d+", "legal")]


def form(rules: list[tuple[str, str, str]] = RULES, *, ids: list[str] | None = None, **values: Any) -> dict[str, Any]:
    """A form as a browser sends it."""
    kinds, texts, targets = (list(column) for column in zip(*rules, strict=True)) if rules else ([], [], [])
    rows = {"rule_id": ids or [""] * len(rules), "rule_kind": kinds, "rule_texts": texts, "rule_target": targets}
    return {**rows, "default": "tiny-llama", "classifier": "", "judge": "", "floor": "0.7", "step": "save", **values}


@pytest.fixture
def router(desk: Tenant) -> Router:
    drafts = tuple(RuleDraft(kind="keyword", texts=(text,), target="billing") for text in ("refund", "invoice"))
    with tenant_scope(desk.id):
        return create_router(
            tenant=desk, name="desk", document=RouterDocument(rules=drafts, default="legal"), created_by=None
        )


def url_of(router: Router) -> str:
    return f"{LIST}{router.id}/"


def page_of(client: Client, url: str, sent: dict[str, Any] | None = None, **options: Any) -> str:
    answer = client.post(url, sent, **options) if sent is not None else client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def stored() -> RouterDocument:
    return document_of(Router.objects.get())


def test_an_empty_list_says_what_to_do(as_bob: Client, tenant: Tenant) -> None:
    page = page_of(as_bob, LIST)
    assert "No routers yet" in page
    assert NEW in page


def test_a_router_is_added_changed_and_deleted(as_bob: Client, desk: Tenant) -> None:
    assert as_bob.post(NEW, form(name="desk")).status_code == 302
    with tenant_scope(desk.id):
        router = Router.objects.get()
        assert [rule.texts for rule in stored().rules] == [("refund", "invoice"), (r"§\s*\d+",)]
        ids = [rule.id for rule in stored().rules]
    page = page_of(as_bob, url_of(router))
    assert 'value="1"' in page
    assert as_bob.post(url_of(router), form(RULES[::-1], ids=ids[::-1], revision="1")).status_code == 302
    with tenant_scope(desk.id):
        assert [rule.id for rule in stored().rules] == ids[::-1]
    stale = page_of(as_bob, url_of(router), form(revision="1"))
    assert "Somebody else changed this router" in stale
    assert as_bob.post(f"{url_of(router)}delete/").status_code == 302
    assert "No routers yet" in page_of(as_bob, LIST)


def test_buttons_of_rows_change_the_form_and_store_nothing(as_bob: Client, router: Router, desk: Tenant) -> None:
    def texts(step: str) -> list[str]:
        page = page_of(as_bob, url_of(router), form(step=step, revision="1"))
        fields = page.split('name="rule_texts"')[1:]
        return [field.split(">", 1)[1].split("</textarea>")[0].split("\n")[0] for field in fields]

    assert texts("up rules 1") == [r"§\s*\d+", "refund"]
    assert texts("down rules 0") == [r"§\s*\d+", "refund"]
    assert texts("remove rules 0") == [r"§\s*\d+"]
    assert texts("add rule") == ["refund", r"§\s*\d+", ""]
    for odd in ("up rules 0", "down rules 1", "up rules 99", "up rules -1", "up rules ²", "up names 1", "fly"):
        assert texts(odd) == ["refund", r"§\s*\d+"]
    with tenant_scope(desk.id):
        assert [rule.texts for rule in stored().rules] == [("refund",), ("invoice",)]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (form([("pattern", "(a", "legal")]), "Missing close parenthesis for group started at position 0"),
        (form([("keyword", "x", "nobody")]), "is no live adapter or base model"),
        (form([("keyword", "x", "legal"), ("keyword", "X", "billing")]), "is in rule 1 already"),
        (form(default="nobody"), "is no live adapter or base model"),
        (form(floor="2"), "less than or equal to 1"),
        (form(floor=""), "required"),
        (form(classifier="examples"), "List at least two models"),
        (form(target_name=["legal", "legal"], target_description=["", ""], target_examples=["", ""]), "listed twice"),
        (form(step="try"), "Enter 1 to 50 prompts"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(as_bob: Client, router: Router, sent: dict[str, Any], said: str) -> None:
    assert said in page_of(as_bob, url_of(router), sent)
    with tenant_scope(router.tenant_id):
        assert stored().default == "legal"


def test_a_form_that_no_browser_sends_is_refused(as_bob: Client, router: Router) -> None:
    assert as_bob.post(url_of(router), {**form(), "rule_kind": ["keyword"]}).status_code == 400


def test_prompts_are_tried_on_what_is_written_not_on_what_is_saved(as_bob: Client, router: Router) -> None:
    sent = form([("keyword", "court", "legal")], step="try", prompts="See you in court\n\nHello\n", default="")
    page = page_of(as_bob, url_of(router), sent)
    assert page.count('data-testid="tried"') == 2
    assert "Rule 1" in page
    assert "Refused" in page
    assert "Rule 1" in page_of(as_bob, NEW, {**sent, "name": "other"})


def test_hits_and_where_held_out_prompts_go(as_bob: Client, router: Router, desk: Tenant) -> None:
    page = page_of(as_bob, url_of(router))
    assert "Not measured yet" in page
    with tenant_scope(desk.id):
        rule = stored().rules[0].id
        RouterHits.objects.create(hour=timezone.now(), router="desk", by="rule", rule=rule, requests=1234)
        RouterHits.objects.create(hour=timezone.now(), router="desk", by="default", requests=5)
        train_on("billing", "billing")
        train_on("legal", "legal")
        learn(router.id)
    page = page_of(as_bob, url_of(router))
    assert "1,234 hits" in page
    assert "5 by default" in page
    assert "Where held-out prompts go" in page
    # Nothing but the rules and the default routes here, and the default is `legal`.
    rows = page.split('data-testid="confusion"')[1].split("<tr>")[2:]
    assert [">100.0%" in " ".join(row.split()) or "100%" in row for row in rows] == [False, True]
    assert "1,239" in page_of(as_bob, LIST)


def test_a_router_of_a_thousand_rules_can_be_saved(as_bob: Client, router: Router) -> None:
    rules = [("keyword", f"word{number}", "billing") for number in range(1000)]
    assert as_bob.post(url_of(router), form(rules, revision="1")).status_code == 302


def test_who_may(as_charlie: Client, as_rita: Client, router: Router) -> None:
    assert as_rita.get(LIST).status_code == 403
    assert as_rita.post(url_of(router), form()).status_code == 403
    for url in (url_of(router), f"{url_of(router)}delete/"):
        assert as_charlie.post(url, form()).status_code == 404
    assert "desk" not in page_of(as_charlie, LIST)
    with tenant_scope(router.tenant_id):
        assert stored().default == "legal"
