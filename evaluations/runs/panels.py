"""The evaluation panel on the page of an adapter version."""

from django.db.models import Avg, Count

from adapters.models import AdapterVersion
from adapters.versions.notes import notes_of
from adapters.versions.panels import Panel
from corpora.versions.caveats import leaks_of
from evaluations.models import EvaluationState, Review
from evaluations.runs.queries import latest_ready, runs
from evaluations.runs.report import headline


def evaluation_panel(version: AdapterVersion) -> Panel:
    """The latest results, or a hint to evaluate."""
    ready = latest_ready(version)
    running = runs().filter(version=version, state=EvaluationState.RUNNING).first()
    report = headline(ready) if ready else None
    context = {
        "version": version,
        "evaluation": ready,
        "headline": report,
        "leaks": leaks_of(ready.dataset_version) if ready else [],
        "badges": [note for note in notes_of([version])[version.id] if note.state],
        "experts": Review.objects.filter(item__run=ready).aggregate(
            mean=Avg("grade"), rows=Count("item", distinct=True)
        ),
        "running": running,
    }
    facts: tuple[tuple[str, str], ...] = ()
    if report:
        facts = tuple((one.title, f"{report.against} {one.against}, {version} {one.own}") for one in report.figures)
    return Panel(template="evaluations/runs/_version_panel.html", context=context, title="Evaluation", facts=facts)
