"""The promotion panel on the page of an adapter version."""

from adapters.models import AdapterVersion
from adapters.versions.panels import Panel
from serving.promotions.forms import PromoteForm
from serving.promotions.queries import standing_of


def promotion_panel(version: AdapterVersion) -> Panel:
    """Whether the version is live, and what a promotion would change."""
    return Panel(
        template="serving/promotions/_version_panel.html",
        context={"standing": standing_of(version), "version": version, "promote_form": PromoteForm()},
    )
