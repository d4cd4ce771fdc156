"""Routers: what is refused, what stays, who sees them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.conf import settings

from adapters.base_models.services import add_base_model
from adapters.models import Adapter, AdapterVersion, BaseModel
from adapters.training.services import check_name, start_training
from corpora.models import DatasetVersion, VersionState
from rest.errors import Conflict, PortalError
from serving.models import Router
from serving.promotions.services import promote_version
from serving.routing.checking import WrongRouter
from serving.routing.document import RouterDocument, RuleDraft, Target, document_of
from serving.routing.live import live_router, live_routers
from serving.routing.services import MOST_ROUTERS, create_router, delete_router, replace_router
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db

BILLING = RuleDraft(kind="keyword", texts=("refund", "invoice"), target="billing")
LEGAL = RuleDraft(kind="pattern", texts=(r"§\s*\d+",), target="legal")
DOCUMENT = RouterDocument(rules=(BILLING, LEGAL), default="tiny-llama")


@pytest.fixture(autouse=True)
def in_scope(desk: Tenant) -> Iterator[None]:
    with tenant_scope(desk.id):
        yield


def made(tenant: Tenant, document: RouterDocument = DOCUMENT, name: str = "desk") -> Router:
    return create_router(tenant=tenant, name=name, document=document, created_by=None)


def test_rules_keep_their_ids_wherever_they_move(desk: Tenant) -> None:
    router = made(desk)
    first, second = document_of(router).rules
    third = replace(BILLING, texts=("payment",), id=first.id)
    swapped = replace(DOCUMENT, rules=(second, first, third, replace(LEGAL, texts=("x+",), id="made up")))
    changed = replace_router(router=router, document=swapped)
    ids = [rule.id for rule in document_of(changed).rules]
    assert ids[:2] == [second.id, first.id]
    assert len(set(ids)) == 4
    assert "made up" not in ids
    assert (router.revision, changed.revision) == (1, 2)


def test_a_new_adapter_cannot_have_its_name(desk: Tenant) -> None:
    made(desk)
    base, data = BaseModel.objects.get(), DatasetVersion.objects.filter(state=VersionState.READY).earliest("number")
    with pytest.raises(PortalError, match="“desk” is the name of a router") as caught:
        start_training(
            tenant=desk, adapter_name="desk", dataset_version=data, base_model=base, recipe="style", overrides={}
        )
    assert caught.value.code == "adapter:reserved_name"
    assert not Adapter.objects.filter(name="desk").exists()
    # Where both are there already, the adapter can still be trained.
    Adapter.objects.create(tenant=desk, name="desk", base_model=base)
    check_name("desk")


def test_another_tenants_router_keeps_no_name(desk: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id):
        Router.objects.create(tenant=other_tenant, name="desk")
    check_name("desk")


def test_a_new_base_model_cannot_have_its_name(desk: Tenant) -> None:
    made(desk)
    with pytest.raises(Conflict, match="“desk” is the name of a router of Alder Law") as caught:
        add_base_model(folder=settings.BASE_MODEL_DIR, name="desk")
    assert caught.value.code == "base_model:name_in_use"


def test_what_a_router_decides(desk: Tenant) -> None:
    live = live_router(made(desk))
    assert [live.decide([text]).target for text in ("A refund, § 5", "see § 12", "hello")] == [
        "billing", "legal", "tiny-llama",
    ]  # fmt: skip
    assert [router.name for router in live_routers()] == ["desk"]


def test_a_change_is_seen_and_its_reader_must_have_seen_the_last_one(desk: Tenant) -> None:
    router = made(desk)
    assert live_routers()[0].decide(["hello"]).target == "tiny-llama"
    replace_router(router=router, document=replace(DOCUMENT, default=""), seen_revision=1)
    assert live_routers()[0].decide(["hello"]).target is None
    with pytest.raises(Conflict) as refused:
        replace_router(router=router, document=DOCUMENT, seen_revision=1)
    assert refused.value.code == "router:changed"


def test_a_table_of_another_processor_is_compiled_again(desk: Tenant) -> None:
    router = made(desk)
    router.compiled = b"of another processor"
    assert live_router(router).decide(["refund"]).target == "billing"


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        (replace(DOCUMENT, rules=(BILLING, replace(LEGAL, texts=("(a",)))), "router:bad_rule", "rules.1"),
        (replace(DOCUMENT, rules=(BILLING, replace(LEGAL, texts=()))), "router:bad_rule", "rules.1"),
        (
            replace(DOCUMENT, rules=(BILLING, replace(BILLING, texts=("REFUND",)))),
            "router:bad_rule",
            "rules.1",
        ),
        (replace(DOCUMENT, rules=(replace(BILLING, target="sales"),)), "router:unknown_model", "rules.0"),
        (replace(DOCUMENT, rules=(replace(BILLING, target=""),)), "router:unknown_model", "rules.0"),
        (replace(DOCUMENT, default="sales"), "router:unknown_model", "default"),
        (replace(DOCUMENT, floor=1.5), "router:invalid", "floor"),
        (replace(DOCUMENT, floor=float("nan")), "router:invalid", "floor"),
        (replace(DOCUMENT, targets=(Target(name="legal"), Target(name="legal"))), "router:invalid", "targets.1"),
        (replace(DOCUMENT, targets=(Target(name="nobody"),)), "router:unknown_model", "targets.0"),
        (replace(DOCUMENT, classifier="examples", targets=(Target(name="legal"),)), "router:bad_classifier", "targets"),
        (replace(DOCUMENT, classifier="oracle"), "router:bad_classifier", "classifier"),
        (
            replace(DOCUMENT, classifier="judge", targets=(Target(name="legal"), Target(name="billing"))),
            "router:bad_classifier",
            "classifier",
        ),
    ],
)
def test_what_can_not_be_a_router(desk: Tenant, document: RouterDocument, code: str, field: str) -> None:
    with pytest.raises(WrongRouter) as refused:
        made(desk, document)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not Router.objects.exists()


@pytest.mark.parametrize("name", ["", "Desk", "-desk", "desk@2", "x" * 61])
def test_names(desk: Tenant, name: str) -> None:
    with pytest.raises(PortalError) as refused:
        made(desk, name=name)
    assert refused.value.code == "router:bad_name"


@pytest.mark.parametrize("name", ["billing", "tiny-llama", "desk"])
def test_a_name_means_one_model(desk: Tenant, name: str) -> None:
    made(desk)
    with pytest.raises(Conflict) as refused:
        made(desk, name=name)
    assert refused.value.code == "router:name_taken"


def test_no_adapter_goes_live_under_a_routers_name(desk: Tenant, make_version: Callable[..., AdapterVersion]) -> None:
    made(desk)
    version = make_version(desk, "desk", 2)
    with pytest.raises(Conflict, match="name of a router") as refused:
        promote_version(tenant=desk, version=version, created_by=None)
    assert refused.value.code == "promotion:name_taken"


def test_there_are_not_too_many(desk: Tenant) -> None:
    Router.objects.bulk_create(Router(name=f"r{number}") for number in range(MOST_ROUTERS))
    with pytest.raises(Conflict) as refused:
        made(desk)
    assert refused.value.code == "router:too_many"


def test_the_trail_has_every_change_and_no_keyword(desk: Tenant) -> None:
    router = made(desk)
    replace_router(router=router, document=replace(DOCUMENT, default=""))
    delete_router(router=router)
    delete_router(router=router)
    events = AuditEvent.objects.filter(action__startswith="router.").order_by("sequence")
    assert [event.action for event in events] == ["router.created", "router.changed", "router.deleted"]
    assert "refund" not in str([(event.before, event.after) for event in events])
    assert not live_routers()


def test_another_tenant_sees_none(desk: Tenant, other_tenant: Tenant) -> None:
    made(desk)
    with tenant_scope(other_tenant.id):
        assert not live_routers()
        assert not Router.objects.exists()
        with pytest.raises(WrongRouter):
            made(other_tenant)
        assert made(other_tenant, RouterDocument(default="tiny-llama")).name == "desk"
