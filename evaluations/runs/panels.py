"""The evaluation panel on the page of an adapter version."""

from adapters.models import AdapterVersion
from adapters.versions.panels import Panel
from corpora.versions.caveats import leaks_of
from evaluations.models import EvaluationState
from evaluations.runs.queries import latest_ready, runs
from evaluations.runs.report import headline


def evaluation_panel(version: AdapterVersion) -> Panel:
    """The latest results, or a hint to evaluate."""
    ready = latest_ready(version)
    running = runs().filter(version=version, state=EvaluationState.RUNNING).first()
    report = headline(ready.summary) if ready else None
    context = {
        "version": version,
        "evaluation": ready,
        "headline": report,
        "leaks": leaks_of(ready.dataset_version) if ready else [],
        "running": running,
    }
    figures = report.figures if report else []
    facts = tuple((figure.title, f"base {figure.base}, adapter {figure.adapter}") for figure in figures)
    return Panel(template="evaluations/runs/_version_panel.html", context=context, title="Evaluation", facts=facts)
