"""The page of a version's card, and the card as a file."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from adapters.cards import Card, as_markdown, card_of
from adapters.queries import version_with_all
from tenants.access import WRITERS, members_only
from tenants.requests import TenantRequest


@require_GET
@members_only(roles=WRITERS)
def card(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """The card; `?format=md` downloads it as Markdown."""
    found = card_of(version_with_all(version_id))
    if request.GET.get("format") == "md":
        return markdown_response(found)
    return render(request, "adapters/card.html", {"card": found, "version": found.version})


def markdown_response(card: Card) -> HttpResponse:
    """The card as a download, named after the adapter, whose name is a slug."""
    response = HttpResponse(as_markdown(card), content_type="text/markdown; charset=utf-8")
    name = f"{card.version.adapter.name}-v{card.version.number}.md"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
