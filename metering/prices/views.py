"""The operator's pages of the price book."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metering.backends.price_lists import price_lists
from metering.prices.forms import DiscountForm, PriceForm, RateForm
from metering.prices.in_use import importable, in_use
from metering.prices.overview import is_over, overview
from metering.prices.queries import book_of, discount_named, history_of, item_of, price_named
from metering.prices.services import (
    Imported,
    add_discount,
    end_discount,
    end_price,
    import_prices,
    set_price,
    set_rate,
)
from metering.prices.texts import source_text
from rest.errors import PortalError
from tenants.access import operators_only


@require_safe
@operators_only
def index(request: HttpRequest) -> HttpResponse:
    """What lacks a price, current prices, discounts and exchange rates."""
    context = {"overview": overview(), "can_import": bool(price_lists)}
    return render(request, "metering/prices/list.html", context)


@require_safe
@operators_only
def item(request: HttpRequest, price_id: UUID) -> HttpResponse:
    """All prices ever recorded of the item that a price is of."""
    wanted, now = item_of(price_named(price_id)), timezone.now()
    book = book_of([wanted])
    found = book.at(wanted, now)
    context = {
        "item": wanted,
        "rows": [(row, is_over(row, now)) for row in history_of(wanted)],
        "current": book.row_at(wanted, now),
        "found": found,
        "source": source_text(found) if found else "",
        "currency": settings.CURRENCY,
    }
    return render(request, "metering/prices/item.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@operators_only
def new_price(request: HttpRequest) -> HttpResponse:
    """The form of a price by hand, filled in with `?service=&item=&region=`."""
    return _entered(request, PriceForm, set_price, title="Set price", done="Price set.")


@require_http_methods(["GET", "HEAD", "POST"])
@operators_only
def new_discount(request: HttpRequest) -> HttpResponse:
    """The form of a discount."""
    return _entered(request, DiscountForm, add_discount, title="Add discount", done="Discount added.")


@require_http_methods(["GET", "HEAD", "POST"])
@operators_only
def new_rate(request: HttpRequest) -> HttpResponse:
    """The form of an exchange rate, filled in with `?currency=`."""
    return _entered(request, RateForm, set_rate, title="Add exchange rate", done="Exchange rate added.")


@require_POST
@transaction.non_atomic_requests
@operators_only
def import_now(request: HttpRequest) -> HttpResponse:
    """Import AWS's prices of what is in use."""
    items = importable(one.item for one in in_use())
    if not items:
        messages.info(request, "Nothing in use here is in AWS’s price list, so there is nothing to import.")
        return redirect("prices:list")
    try:
        result = import_prices(items=items)
    except PortalError as error:
        messages.error(request, error.text)
    else:
        _tell(request, result)
    return redirect("prices:list")


@require_POST
@operators_only
def end(request: HttpRequest, price_id: UUID) -> HttpResponse:
    """End a price that was set by hand, now."""
    price = price_named(price_id)
    try:
        end_price(price=price)
    except PortalError as error:
        messages.error(request, error.text)
    else:
        messages.success(request, "Price ended.")
    return redirect("prices:list")


@require_POST
@operators_only
def end_a_discount(request: HttpRequest, discount_id: UUID) -> HttpResponse:
    """End a discount now, or cancel one to come."""
    end_discount(discount=discount_named(discount_id))
    messages.success(request, "Discount ended.")
    return redirect("prices:list")


def _entered(
    request: HttpRequest, form_class: type[Form], service: Callable[..., Any], *, title: str, done: str
) -> HttpResponse:
    form = form_class(request.POST) if request.method == "POST" else form_class(initial=request.GET.dict())
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                service(**form.cleaned_data, set_by=request.user)
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, done)
            return redirect("prices:list")
    return render(request, "metering/prices/form.html", {"form": form, "title": title})


def _tell(request: HttpRequest, result: Imported) -> None:
    if result.added:
        new = "1 new price" if len(result.added) == 1 else f"{len(result.added)} new prices"
        messages.success(request, f"{new} imported from AWS, {result.unchanged} unchanged.")
    elif result.unchanged:
        messages.success(request, "All prices are those of AWS’s list.")
    if result.missing:
        names = ", ".join(f"{one} ({one.service.label.lower()})" for one in result.missing)
        messages.warning(request, f"AWS’s list has no single price for {names}. Set it by hand.")
