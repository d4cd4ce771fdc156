"""`manage.py prices list|import|set|end|discount|rate`: the operator's hand on the price book."""

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from metering.models import Price, Service
from metering.prices.in_use import importable, in_use
from metering.prices.items import Item
from metering.prices.overview import overview
from metering.prices.queries import discount_named, price_named
from metering.prices.services import (
    add_discount,
    end_discount,
    end_price,
    import_prices,
    set_price,
    set_rate,
)
from metering.prices.texts import moment_text, per_unit, percent_text, rate_text
from rest.errors import PortalError


class Command(BaseCommand):
    help = "List prices, import them from AWS, set one by hand, and add discounts and exchange rates."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="what is in use and has no price, and all current prices")
        imported = actions.add_parser("import", help="import AWS's prices (default: of the instances in use)")
        imported.add_argument("--region", help="of the instances named, such as eu-west-1")
        imported.add_argument("--instance", action="append", default=[], metavar="TYPE", help="such as ml.g5.2xlarge")
        by_hand = actions.add_parser("set", help="set a price by hand")
        by_hand.add_argument("service", choices=Service.values)
        by_hand.add_argument("item", help="instance type, alias of a backend, or storage class")
        by_hand.add_argument("amount", type=number, help="per hour, GB-month or million tokens")
        by_hand.add_argument("--currency", default=settings.CURRENCY, help=f"default: {settings.CURRENCY}")
        by_hand.add_argument("--region", default="", help="default: any")
        by_hand.add_argument("--note", default="", help="where it is from")
        _times(by_hand)
        discount = actions.add_parser("discount", help="take a share off the prices of a service")
        discount.add_argument("service", choices=Service.values)
        discount.add_argument("percent", type=number)
        discount.add_argument("--item", default="", help="of one item only")
        discount.add_argument("--reason", required=True, help="such as Savings Plan")
        _times(discount)
        rate = actions.add_parser("rate", help="what one unit of a currency is worth")
        rate.add_argument("currency")
        rate.add_argument("rate", type=number)
        rate.add_argument("--into", default=settings.CURRENCY, help=f"default: {settings.CURRENCY}")
        rate.add_argument("--note", default="", help="where it is from")
        _start(rate)
        end = actions.add_parser("end", help="end a price set by hand, or a discount, now")
        end.add_argument("id", type=UUID)

    def handle(self, *_args: Any, **options: Any) -> None:
        self.options = options
        try:
            getattr(self, f"_{options['action']}")()
        except PortalError as error:
            raise CommandError(error.text) from error

    def _list(self) -> None:
        seen = overview()
        for one in seen.missing:
            why = f"no rate from {one.lacks_rate} to {seen.currency}" if one.lacks_rate else "no price"
            self._line(one.item.service, f"{one.item}: {why}; used by {', '.join(one.used_by)}")
        for line in seen.lines:
            if line.found is not None:
                price = per_unit(line.found.amount, line.found.currency, line.found.unit)
                self._line(line.item.service, f"{line.item}: {price}  {line.source}  {line.found.price.id}")
            elif line.row is not None:
                price = per_unit(line.row.amount, line.row.currency, line.row.unit)
                self._line(line.item.service, f"{line.item}: {price}, no rate to {seen.currency}  {line.row.id}")
            elif line.settings_amount is not None:
                price = per_unit(line.settings_amount, "USD", line.item.unit)
                self._line(line.item.service, f"{line.item}: {price}  {line.source}")
            else:
                self._line(line.item.service, f"{line.item}: no price now")
        for discount in seen.discounts:
            until = f" until {moment_text(discount.valid_until)}" if discount.valid_until else ""
            off = f"{percent_text(discount.percent)} off {discount.item or 'everything'}"
            since = f"from {moment_text(discount.valid_from)}{until}"
            self._line(discount.service, f"{off} {since}  {discount.reason}  {discount.id}")
        for rate in seen.rates:
            self._line("rate", f"{rate_text(rate)} from {moment_text(rate.valid_from)}")

    def _import(self) -> None:
        region, instances = self.options["region"], self.options["instance"]
        if bool(region) != bool(instances):
            raise CommandError("Name both --region and --instance, or neither for the instances in use.")
        services = (Service.HOSTING, Service.TRAINING)
        named = [Item(service=service, item=one, region=region) for one in instances for service in services]
        items = named or importable(one.item for one in in_use())
        if not items:
            raise CommandError("No instance of a cloud is in use. Name some with --region and --instance.")
        result = import_prices(items=items)
        for price in result.added:
            self._write(price)
        for item in result.missing:
            self._line(item.service, f"{item}: not in the list")
        self.stdout.write(f"{len(result.added)} new, {result.unchanged} unchanged, {len(result.missing)} not listed.")

    def _set(self) -> None:
        wanted = ("service", "item", "amount", "currency", "region", "note", "valid_from", "valid_until")
        self._write(set_price(**{name: self.options[name] for name in wanted}, set_by=None))

    def _discount(self) -> None:
        wanted = ("service", "item", "percent", "reason", "valid_from", "valid_until")
        discount = add_discount(**{name: self.options[name] for name in wanted}, set_by=None)
        self.stdout.write(f"{discount} from {moment_text(discount.valid_from)}  {discount.id}")

    def _rate(self) -> None:
        wanted = ("currency", "into", "rate", "note", "valid_from")
        rate = set_rate(**{name: self.options[name] for name in wanted}, set_by=None)
        self.stdout.write(f"{rate_text(rate)} from {moment_text(rate.valid_from)}")

    def _end(self) -> None:
        row_id = self.options["id"]
        if Price.objects.filter(id=row_id).exists():
            end_price(price=price_named(row_id))
        else:
            end_discount(discount=discount_named(row_id))
        self.stdout.write("Ended.")

    def _write(self, price: Price) -> None:
        where = f"{price.item} in {price.region}" if price.region else price.item
        since = moment_text(price.valid_from)
        self._line(
            price.service, f"{where}: {per_unit(price.amount, price.currency, price.unit)} from {since}  {price.id}"
        )

    def _line(self, kind: str, text: str) -> None:
        self.stdout.write(f"{kind:12}  {text}")


def number(text: str) -> Decimal:
    """Raises ValueError."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


def moment(text: str) -> dt.datetime:
    """An ISO 8601 time or day, in the site's time zone unless it names another. Raises ValueError."""
    found = parse_datetime(text)
    if found is None:
        day = parse_date(text)
        if day is None:
            raise ValueError(text)
        found = dt.datetime.combine(day, dt.time())
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def _start(parser: CommandParser) -> None:
    parser.add_argument("--from", dest="valid_from", type=moment, help="ISO 8601 (default: now)")


def _times(parser: CommandParser) -> None:
    _start(parser)
    parser.add_argument("--until", dest="valid_until", type=moment, help="ISO 8601 (default: until it is replaced)")
