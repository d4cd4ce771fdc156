"""Pages of webhooks: the list, and one with its deliveries."""

import json
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from rest.errors import PortalError
from tenants.access import members_only
from tenants.models import Webhook
from tenants.permissions import Action
from tenants.requests import TenantRequest
from tenants.shown_once import show_once, take_shown_once
from tenants.webhooks.forms import WebhookForm
from tenants.webhooks.kinds import event_kinds
from tenants.webhooks.queries import deliveries, delivery_by_id, webhook_by_id, webhooks
from tenants.webhooks.services import (
    change_webhook,
    create_webhook,
    delete_webhook,
    pause_webhook,
    replace_secret,
    resume_webhook,
    send_again,
    send_test,
)

NEW_SECRET = "new_webhook_secret"  # noqa: S105
PAGE_SIZE = 25


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.WEBHOOKS_MANAGE)
def index(request: TenantRequest) -> HttpResponse:
    """All webhooks, and the form of a new one."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = create_webhook(
                tenant=request.tenant,
                url=form.cleaned_data["url"],
                kinds=form.cleaned_data["events"],
                created_by=request.membership.user,
            )
        except PortalError as error:
            error.show_on(form)
        else:
            show_once(request, NEW_SECRET, {"webhook": str(made.id), "secret": secret})
            return redirect("webhooks:webhook", made.id)
    return render(request, "tenants/webhooks/list.html", {"form": form, "webhooks": webhooks()})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.WEBHOOKS_MANAGE)
def webhook(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """One webhook: its settings to change, and its deliveries. A new secret is shown once."""
    found = webhook_by_id(webhook_id)
    form = WebhookForm(request.POST or None, initial={"url": found.url, "events": found.kinds})
    if request.method == "POST" and form.is_valid():
        try:
            change_webhook(webhook=found, url=form.cleaned_data["url"], kinds=form.cleaned_data["events"])
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Webhook changed.")
            return redirect("webhooks:webhook", found.id)
    page = Paginator(deliveries().filter(webhook=found), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "webhook": found,
        "titles": {kind.name: kind.title for kind in event_kinds()},
        "page_obj": page,
        "deliveries": [(row, json.dumps(row.event.data, indent=2, ensure_ascii=False)) for row in page],
        "new": _new_secret(request, found),
    }
    return render(request, "tenants/webhooks/detail.html", context)


@require_POST
@members_only(Action.WEBHOOKS_MANAGE)
def secret(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """Replace the secret."""
    found = webhook_by_id(webhook_id)
    show_once(request, NEW_SECRET, {"webhook": str(found.id), "secret": replace_secret(webhook=found)})
    return redirect("webhooks:webhook", found.id)


@require_POST
@members_only(Action.WEBHOOKS_MANAGE)
def pause(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """Pause it, or resume a paused one."""
    found = webhook_by_id(webhook_id)
    if found.is_paused:
        resume_webhook(webhook=found)
        messages.success(request, "Resumed. Events are sent from now on.")
    else:
        pause_webhook(webhook=found)
        messages.success(request, "Paused. Nothing is sent until you resume it.")
    return redirect("webhooks:webhook", found.id)


@require_POST
@members_only(Action.WEBHOOKS_MANAGE)
def test(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """Send a test event."""
    found = webhook_by_id(webhook_id)
    send_test(webhook=found)
    messages.success(request, "A test event is on its way.")
    return redirect("webhooks:webhook", found.id)


@require_POST
@members_only(Action.WEBHOOKS_MANAGE)
def again(request: TenantRequest, delivery_id: UUID) -> HttpResponse:
    """Send an event once more."""
    found = delivery_by_id(delivery_id)
    send_again(delivery=found)
    messages.success(request, "The event is on its way again.")
    return redirect("webhooks:webhook", found.webhook_id)


@require_POST
@members_only(Action.WEBHOOKS_MANAGE)
def delete(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    """Delete it."""
    delete_webhook(webhook=webhook_by_id(webhook_id))
    messages.success(request, "Webhook deleted.")
    return redirect("webhooks:list")


def _new_secret(request: TenantRequest, webhook: Webhook) -> str:
    """Of this webhook, if it was made just now."""
    kept = take_shown_once(request, NEW_SECRET) or {}
    return str(kept["secret"]) if kept.get("webhook") == str(webhook.id) else ""
