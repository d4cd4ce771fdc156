"""The sidebar's entries by role."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from tenants.access import EVERYONE, WRITERS
from tenants.models import Membership, Role


@dataclass(frozen=True)
class Entry:
    """An entry of the sidebar; `icon` is the name of a Tabler icon."""

    title: str
    url_name: str
    icon: str
    group: str = ""
    roles: frozenset[Role] = WRITERS


ENTRIES = (
    Entry("Overview", "overview", "home"),
    Entry("Datasets", "corpora:list", "database", "Train"),
    Entry("Adapters", "adapters:list", "stack-2", "Train"),
    Entry("Jobs", "jobs:list", "activity", "Train"),
    Entry("Evaluations", "evaluations:list", "chart-histogram", "Check"),
    Entry("Reviews", "evaluations:reviews", "checklist", "Check", EVERYONE),
    Entry("Endpoint", "serving:endpoint", "server-2", "Serve"),
    Entry("Playground", "serving:playground", "message-chatbot", "Serve"),
    Entry("Usage", "metering:usage", "coin", "Serve"),
    Entry("API keys", "keys", "key", "Connect"),
)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """A context processor: `navigation`, entries with `url`, `group` and `active`."""
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return {"navigation": []}
    entries = []
    for entry in ENTRIES:
        if membership.role in entry.roles:
            url = reverse(entry.url_name)
            active = request.path == url if url == "/" else request.path.startswith(url)
            entries.append(
                {"title": entry.title, "url": url, "icon": entry.icon, "group": entry.group, "active": active}
            )
    # "Evaluations" must not be highlighted on the pages of "Reviews", whose URLs begin with the same path.
    best = max((e for e in entries if e["active"]), key=lambda e: len(str(e["url"])), default=None)
    return {"navigation": [{**e, "active": e is best} for e in entries]}
