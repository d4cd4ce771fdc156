"""Publishes each organisation's routes for the front in AWS (`lorakit.front`), which reads them from the bucket."""

import hashlib
from collections.abc import Iterator

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from lorakit.front.routes import Address, StoredRouter, StoredRoutes
from serving.endpoints.queries import backend_of, places
from serving.models import Route, Router, RouterLearning
from serving.routing.classifiers import classifiers
from serving.routing.classifiers.examples import ExamplesClassifier
from serving.routing.document import RouterDocument, document_of
from storage.objects import storing
from tenants.models import Tenant

STORAGE = "front"
"""The entry of STORAGES; there is none where no front is served."""

KNOWN_SECONDS = 3600
"""How long it is believed that the bucket still has what was published last."""


def is_wanted() -> bool:
    """Whether routes are to be published at all."""
    return STORAGE in storages.backends


def publish(tenant: Tenant) -> bool:
    """Store the routes of the active tenant if they have changed. Returns whether they were stored.

    Raises StorageUnavailable.
    """
    content = routes_of().dump()
    key, digest = f"front-routes:{tenant.id}", hashlib.sha256(content).hexdigest()
    if cache.get(key) == digest:
        return False
    with storing():
        storages[STORAGE].save(f"{tenant.slug}.json", ContentFile(content))
    cache.set(key, digest, KNOWN_SECONDS)
    return True


def routes_of() -> StoredRoutes:
    """The models of the active tenant that AWS's clients reach, always the live version, and its routers."""
    routers = Router.objects.order_by("name")
    return StoredRoutes(models=dict(_addresses()), routers={router.name: _stored(router) for router in routers})


def _addresses() -> Iterator[tuple[str, Address]]:
    for place in places():
        if component := backend_of(place).target(place.base_model.name).component():
            yield place.base_model.name, Address(*component)
    for route in Route.objects.exclude(active=None).select_related("active__endpoint__base_model", "active__version"):
        if component := backend_of(route.active.endpoint).target(route.active.name).component():
            yield route.alias, Address(*component, version=route.active.version.number)


def _stored(router: Router) -> StoredRouter:
    document = document_of(router)
    return StoredRouter(
        revision=router.revision,
        rules=[draft.rule() for draft in document.rules],
        compiled=bytes(router.compiled),
        default=document.default,
        floor=document.floor,
        learnt=_examples(router, document),
        targets=[target.name for target in document.targets],
    )


def _examples(router: Router, document: RouterDocument) -> bytes:
    """What the front's classifier reads. Judges and encoders are asked through the portal only, so it has no others."""
    classifier = classifiers.get(document.classifier)
    if not isinstance(classifier, ExamplesClassifier):
        return b""
    data = bytes(RouterLearning.objects.filter(router=router).values_list("data", flat=True).first() or b"")
    try:
        classifier.read(data)
    except ValueError:
        # There is none yet, or it is of the classifier that the router had before.
        return b""
    return data
