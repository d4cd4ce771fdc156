"""Every write to routers. Compiling the rules takes a child process, so the caller is in no transaction."""

from dataclasses import asdict

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from adapters.models import Adapter, BaseModel
from adapters.training.services import NAME
from rest.errors import Conflict, NotFound, PortalError
from serving.models import Router
from serving.routing.checking import compiled
from serving.routing.document import RouterDocument
from serving.routing.learning import learn_soon
from tenants.audit.services import record_event
from tenants.models import Tenant, User

MOST_ROUTERS = 50


def create_router(*, tenant: Tenant, name: str, document: RouterDocument, created_by: User | None) -> Router:
    """Add a router. Raises WrongRouter, PortalError router:bad_name, Conflict router:name_taken, router:too_many."""
    _check_name(name)
    table = compiled(document)
    try:
        with transaction.atomic():
            if Router.objects.count() >= MOST_ROUTERS:
                raise Conflict(f"You have {MOST_ROUTERS} routers. Delete one first.", code="router:too_many")
            _refuse_taken(name)
            router: Router = Router.objects.create(
                tenant=tenant, name=name, compiled=table, created_by=created_by, **document.stored()
            )
            record_event("router.created", router, after=_recorded(document))
            learn_soon(router)
    except IntegrityError:
        raise _name_taken(name, "router") from None
    return router


def replace_router(*, router: Router, document: RouterDocument, seen_revision: int | None = None) -> Router:
    """Replace everything but the name. It is live in every gateway within a second.

    `seen_revision` is the one that the writer began from, None where it doesn't matter. Raises WrongRouter, NotFound,
    and Conflict router:changed.
    """
    table = compiled(document)
    with transaction.atomic():
        locked = Router.objects.select_for_update().defer("compiled").filter(id=router.id).first()
        if locked is None:
            raise NotFound("Router not found.")
        if seen_revision is not None and locked.revision != seen_revision:
            raise Conflict(
                "Somebody else changed this router meanwhile. Reload the page and make your changes again.",
                code="router:changed",
            )
        before = {"revision": locked.revision, "rules": len(locked.rules), "default": locked.default}
        stored = document.stored([rule["id"] for rule in locked.rules])
        Router.objects.filter(id=locked.id).update(
            **stored, compiled=table, revision=F("revision") + 1, changed_at=timezone.now()
        )
        locked.refresh_from_db()
        record_event("router.changed", locked, before=before, after=_recorded(document) | {"revision": locked.revision})
        learn_soon(locked)
    return locked


@transaction.atomic
def delete_router(*, router: Router) -> None:
    """Delete it: its name is unknown to the gateway within a second. Does nothing if it is gone already."""
    found = Router.objects.select_for_update().defer("compiled").filter(id=router.id).first()
    if found is not None:
        record_event("router.deleted", found, before={"name": found.name, "rules": len(found.rules)})
        found.delete()


def _recorded(document: RouterDocument) -> dict[str, object]:
    """Keywords may be customers' own words, so the trail counts them."""
    said = asdict(document)
    return {name: said[name] for name in ("default", "classifier", "floor")} | {"rules": len(document.rules)}


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        text = "Use 1 to 60 lower-case letters, digits and hyphens, with a letter or digit at both ends."
        raise PortalError(text, code="router:bad_name", field="name")


def _refuse_taken(name: str) -> None:
    """An adapter or base model of the name would answer before the router."""
    if Adapter.objects.filter(name=name).exists():
        raise _name_taken(name, "adapter")
    if BaseModel.objects.filter(name=name).exists():
        raise _name_taken(name, "base model")


def _name_taken(name: str, kind: str) -> Conflict:
    article = "an" if kind[0] in "aeiou" else "a"
    text = f"“{name}” is the name of {article} {kind}. Choose a different name."
    return Conflict(text, code="router:name_taken", field="name")
