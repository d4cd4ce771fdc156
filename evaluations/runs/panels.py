"""The evaluation panel on the page of an adapter version."""

from typing import Any

from django.db.models import Avg, Count

from adapters.models import AdapterVersion
from adapters.versions.notes import badges_of
from adapters.versions.panels import Panel
from evaluations.models import EvaluationRun, EvaluationState, Review
from evaluations.runs.judgings.expert_means import expert_means
from evaluations.runs.need.panel import need_panel
from evaluations.runs.queries import latest_ready, leaks_in, runs
from evaluations.runs.report import headline

COMMENTS_SHOWN = 3


def evaluation_panel(version: AdapterVersion) -> Panel:
    """The latest results, or a hint to evaluate."""
    ready = latest_ready(version)
    running = runs().filter(version=version, state=EvaluationState.RUNNING).first()
    report = headline(ready) if ready else None
    context = {
        "version": version,
        "evaluation": ready,
        "headline": report,
        "need": need_panel(ready) if ready else None,
        "by_experts": _by_experts(ready) if ready else "",
        "leaks": leaks_in(ready) if ready else [],
        "badges": badges_of([version])[version.id],
        "experts": _experts(version, ready) if ready else None,
        "running": running,
    }
    facts: tuple[tuple[str, str], ...] = ()
    if report:
        facts = tuple((one.title, f"{report.against} {one.against}, {version} {one.own}") for one in report.figures)
    return Panel(template="evaluations/runs/_version_panel.html", context=context, title="Evaluation", facts=facts)


def _by_experts(run: EvaluationRun) -> str:
    """The mean that experts would have given all of the version's answers, where that is known."""
    return expert_means(run.last_judging).get(run.own_key, "")


def _experts(version: AdapterVersion, run: EvaluationRun) -> dict[str, Any]:
    """The experts' mean with the number of grades, and their latest comments."""
    reviews = Review.objects.filter(round_item__round__run=run, round_item__answer__model__version=version)
    figures = reviews.filter(grade__isnull=False).aggregate(
        mean=Avg("grade"), grades=Count("pk"), rows=Count("round_item__item", distinct=True)
    )
    comments = reviews.exclude(comment="").select_related("reviewer", "round_item__item").order_by("-updated_at")
    return {**figures, "comments": list(comments[:COMMENTS_SHOWN])}
