"""The sidebar's entries by role, and the operator's."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from tenants.access import is_operator
from tenants.models import Membership
from tenants.permissions import Action


@dataclass(frozen=True)
class Entry:
    """An entry of the sidebar; `icon` is the name of a Tabler icon. `needs` is None where no role includes it."""

    title: str
    url_name: str
    icon: str
    needs: Action | None
    group: str = ""


ENTRIES = (
    Entry("Overview", "overview", "home", Action.OVERVIEW_VIEW),
    Entry("Datasets", "corpora:list", "database", Action.DATASETS_VIEW, "Train"),
    Entry("Adapters", "adapters:list", "stack-2", Action.ADAPTERS_VIEW, "Train"),
    Entry("Jobs", "jobs:list", "activity", Action.JOBS_VIEW, "Train"),
    Entry("Evaluations", "evaluations:list", "chart-histogram", Action.EVALUATIONS_VIEW, "Check"),
    Entry("Reviews", "evaluations:reviews", "checklist", Action.REVIEWS_GRADE, "Check"),
    Entry("Judges", "evaluations:judges", "gavel", Action.JUDGES_MANAGE, "Check"),
    Entry("Rubrics", "evaluations:rubrics", "list-check", Action.RUBRICS_EDIT, "Check"),
    Entry("Endpoint", "serving:endpoint", "server-2", Action.ENDPOINT_VIEW, "Serve"),
    Entry("Routing", "serving:routers", "route", Action.ENDPOINT_VIEW, "Serve"),
    Entry("Playground", "serving:playground", "message-chatbot", Action.PLAYGROUND_USE, "Serve"),
    Entry("Usage", "metering:usage", "coin", Action.USAGE_VIEW, "Serve"),
    Entry("API keys", "keys", "key", Action.KEYS_MANAGE, "Connect"),
    Entry("Webhooks", "webhooks:list", "webhook", Action.WEBHOOKS_MANAGE, "Connect"),
    Entry("Members", "members", "users", Action.MEMBERS_MANAGE, "Connect"),
)

OPERATOR_ENTRIES = (
    Entry("Endpoints", "operator:endpoints", "server-cog", None, "Operate"),
    Entry("Base models", "base-models:list", "cpu", None, "Operate"),
    Entry("Costs", "spend:index", "report-money", None, "Operate"),
    Entry("Prices", "prices:list", "tag", None, "Operate"),
    Entry("Statements", "statements:list", "file-invoice", None, "Operate"),
)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """A context processor: `navigation`, entries with `url`, `group` and `active`."""
    entries = []
    for entry in _entries_for(request):
        url = reverse(entry.url_name)
        active = request.path == url if url == "/" else request.path.startswith(url)
        entries.append({"title": entry.title, "url": url, "icon": entry.icon, "group": entry.group, "active": active})
    # "Evaluations" must not be highlighted on the pages of "Reviews", whose URLs begin with the same path.
    best = max((e for e in entries if e["active"]), key=lambda e: len(str(e["url"])), default=None)
    return {"navigation": [{**e, "active": e is best} for e in entries]}


def _entries_for(request: HttpRequest) -> list[Entry]:
    membership: Membership | None = getattr(request, "membership", None)
    entries = [entry for entry in ENTRIES if membership and entry.needs and membership.may(entry.needs)]
    return [*entries, *OPERATOR_ENTRIES] if is_operator(getattr(request, "user", None)) else entries
