"""What is paid for by the hour, as storage or by the token, and what of it has no price."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from adapters.models import BaseModel
from evaluations.judges.backends import judges
from evaluations.models import Judge, JudgeKind
from jobs.backends import compute
from jobs.kinds import get_kind
from jobs.prices import HasPrice, Priced
from metering.models import Service
from metering.prices.book import PriceFound
from metering.prices.finder import as_item
from metering.prices.items import Item
from metering.prices.queries import book_of
from serving.endpoints.queries import EndpointNotSetUp, backend_of, endpoints_by_name
from storage.listing import LOCAL, default_class, storage_region
from tenants.scope import system_scope

LONGEST_ITEM = 80
"""That the book has room for."""


@dataclass(frozen=True, kw_only=True)
class InUse:
    """An item with what uses it, and its price now: `found` in the book, in the site's currency.

    `lacks_rate` is the currency of a price in the book that can't be converted. `settings_usd` and `settings_source`
    are the settings' price of its unit, which counts where the book has none.
    """

    item: Item
    used_by: tuple[str, ...]
    found: PriceFound | None
    lacks_rate: str
    settings_usd: float | None
    settings_source: str

    @property
    def is_unknown(self) -> bool:
        return self.found is None and (self.lacks_rate != "" or self.settings_usd is None)


def in_use() -> list[InUse]:
    """Each item once, by service and name: those of all endpoints, of COMPUTE, of storage, and of judges on Bedrock."""
    users: dict[Item, list[tuple[str, HasPrice]]] = {}
    for name, backend in _users():
        users.setdefault(as_item(backend.priced), []).append((name, backend))
    book, now = book_of(users), timezone.now()
    found = []
    for item in sorted(users, key=lambda one: (one.service, one.item, one.region)):
        row, price = book.row_at(item, now), book.at(item, now)
        [(_, first), *_] = users[item]
        found.append(
            InUse(
                item=item,
                used_by=tuple(name for name, _ in users[item]),
                found=price,
                lacks_rate=row.currency if row and price is None else "",
                settings_usd=first.usd_per_hour,
                settings_source=first.price_source,
            )
        )
    return found


def importable(items: Iterable[Item]) -> list[Item]:
    """Those that a cloud's price list may have."""
    return [item for item in items if item.region]


def _users() -> Iterator[tuple[str, HasPrice]]:
    for endpoint in endpoints_by_name():
        try:
            yield f"Endpoint {endpoint.name}", backend_of(endpoint)
        except EndpointNotSetUp:
            # What the settings no longer describe costs nothing that anybody knows of; its own page says so.
            continue
    for alias in compute:
        yield f"Runs on {alias}", compute[alias]
    runs = compute[get_kind("training").backend({})]
    for base_model in BaseModel.objects.exclude(training_instance="").order_by("name"):
        if (on_its_own := runs.on(base_model.training_instance)) is not runs:
            yield f"Runs of {base_model.name}", on_its_own
    objects = Priced(service=Service.STORAGE, item=default_class(), region=storage_region())
    is_local = objects.item == LOCAL
    yield (
        "Objects of organisations",
        _AsSet(
            objects,
            settings.LOCAL_STORAGE_PRICE_USD_PER_GB_MONTH if is_local else None,
            settings.LOCAL_PRICE_SOURCE if is_local else "",
        ),
    )
    for model in _models():
        yield "Judges on Bedrock", _AsSet(model)


@dataclass
class _AsSet:
    """Something that isn't paid for by the hour, with the settings' price of its own unit, if they have one."""

    priced: Priced
    usd_per_hour: float | None = None
    price_source: str = ""


def _models() -> Iterator[Priced]:
    """Tokens of models on Bedrock whose judges have no price of their own, whoever's they are."""
    with system_scope():
        own = Judge.objects.filter(kind=JudgeKind.BEDROCK, price_in=None, price_out=None).order_by()
        found = set(own.values_list("model", "region"))
    for alias in judges:
        backend = judges[alias]
        if backend.priced_as is not None and backend.own_price.is_unset:
            found.add(backend.priced_as)
    for model, region in sorted(found):
        if len(model) <= LONGEST_ITEM:
            for service in (Service.JUDGE_INPUT, Service.JUDGE_OUTPUT):
                yield Priced(service=service, item=model, region=region)
