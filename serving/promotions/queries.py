"""Reads of routes and promotions, for the active tenant."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from adapters.models import AdapterVersion
from corpora.versions.caveats import Caveat
from evaluations.runs.queries import latest_ready, leaks_in
from evaluations.runs.report import SliceReport, headline
from jobs.models import Job
from jobs.states import TERMINAL
from rest.errors import NotFound
from serving.capacity.own import promotion_note
from serving.endpoints.queries import backend_of, deployments, place_of
from serving.freezes.queries import freeze_at
from serving.freezes.texts import frozen_text
from serving.models import HELD, Deployment, Freeze, Promotion, Route, SiteFreeze, Trial, TrialState
from serving.trials.queries import running_test, trial_of, trials
from serving.trials.report import Report, report_of


def live_routes(part: str = "") -> QuerySet[Route]:
    """Live aliases that contain `part`, with their versions."""
    related = ("adapter", "active__version__adapter", "active__endpoint__base_model", "previous__version__adapter")
    large = ("active__version__manifest", "previous__version__manifest")
    routes = Route.objects.exclude(active=None).select_related(*related).defer(*large)
    return routes.filter(alias__icontains=part) if part else routes


def live_version(adapter_id: UUID) -> AdapterVersion | None:
    """The version that answers under the adapter's model ID."""
    route = Route.objects.filter(adapter=adapter_id).select_related("active__version__adapter").first()
    return route.active.version if route is not None and route.active is not None else None


def promotions() -> QuerySet[Promotion]:
    """Newest first, with the job of each."""
    return Promotion.objects.select_related("version__adapter", "job", "created_by", "deployment")


def running_promotions() -> QuerySet[Promotion]:
    """Those whose job has not ended."""
    return promotions().exclude(job=None).exclude(job__state__in=TERMINAL)


def route_named(route_id: UUID) -> Route:
    """Raises NotFound."""
    route = Route.objects.select_related("adapter").filter(id=route_id).first()
    if route is None:
        raise NotFound("Route not found.")
    return route


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Whether a version is live, and what promoting it would change.

    `promotion` runs for any version of its adapter, `running` is its job or that of a test, `trial` what it has begun;
    `ended` is the last promotion of this version and `tried` its last trial that ended. `figures` are from its
    evaluation, `active_figures` from that of the live version. `leaks` say why the figures look better than they are.
    `freeze` is in force now. `capacity_note` says what a full endpoint would mean for it.
    """

    version: AdapterVersion
    route: Route | None
    deployment: Deployment | None
    promotion: Promotion | None
    running: Job | None
    trial: Trial | None
    ended: Promotion | None
    tried: Trial | None
    figures: SliceReport | None
    active_figures: SliceReport | None
    leaks: list[Caveat]
    freeze: Freeze | SiteFreeze | None
    capacity_note: str

    @property
    def is_live(self) -> bool:
        return self.active_version == self.version

    @property
    def refusal(self) -> str:
        """Why the endpoint cannot serve it, empty if it can."""
        return refusal_of(self.version)

    @property
    def every(self) -> int:
        """Seconds until its page looks again."""
        is_scheduled = self.promotion is not None and self.promotion.scheduled_for
        return 20 if is_scheduled or (self.running is not None and self.running.error_code) else 2

    @property
    def frozen(self) -> str:
        """Until when promotions are frozen, and why; empty if they are not."""
        return frozen_text(self.freeze) if self.freeze else ""

    @property
    def active_version(self) -> AdapterVersion | None:
        """Never None for a route that answers."""
        return self.route.active.version if self.route else None

    @property
    def report(self) -> Report | None:
        """What the trial that runs shows so far."""
        return report_of(self.trial) if self.trial else None

    @property
    def comparison(self) -> list[tuple[str, str, str]]:
        """(measure, the active version's value, this version's value)."""
        if self.figures is None:
            return []
        active = self.active_figures.by_alias if self.active_figures else {}
        return [
            (figure.title, active[figure.alias].own if figure.alias in active else "–", figure.own)
            for figure in self.figures.figures
        ]


def standing_of(version: AdapterVersion) -> Standing:
    """The standing of a version."""
    route = live_routes().filter(adapter=version.adapter_id).first()
    active = route.active.version if route else None
    evaluation = latest_ready(version)
    promotion = running_promotions().filter(version__adapter=version.adapter_id).first()
    running = promotion.job if promotion else running_test(version.adapter)
    of_active = latest_ready(active) if active and active != version else None
    return Standing(
        version=version,
        route=route,
        deployment=deployments().filter(version=version, state__in=HELD).first(),
        promotion=promotion,
        running=running,
        trial=trial_of(running) if running else None,
        ended=promotions().filter(version=version, job__state__in=TERMINAL).first(),
        tried=trials().filter(candidate__version=version).exclude(state=TrialState.RUNNING).first(),
        figures=headline(evaluation) if evaluation else None,
        active_figures=headline(of_active) if of_active else None,
        leaks=leaks_in(evaluation) if evaluation else [],
        freeze=freeze_at(version.adapter, timezone.now()),
        capacity_note=promotion_note(version),
    )


def refusal_of(version: AdapterVersion) -> str:
    """Why the endpoint cannot serve this version, empty if it can."""
    place = place_of(version.adapter.base_model_id)
    highest = backend_of(place).max_rank if place else version.rank
    if version.rank <= highest:
        return ""
    return (
        f"{version} has rank {version.rank}, and the endpoint serves adapters up to rank {highest}. "
        "Train one with a lower rank."
    )
