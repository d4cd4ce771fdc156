"""What the page of an adapter version shows of its evaluations."""

from adapters.models import AdapterVersion
from adapters.panels import Panel
from evaluations.models import EvaluationState
from evaluations.queries import latest_ready, runs
from evaluations.report import headline


def evaluation_panel(version: AdapterVersion) -> Panel:
    """The latest figures, or a hint to evaluate."""
    ready = latest_ready(version)
    running = runs().filter(version=version, state=EvaluationState.RUNNING).first()
    context = {
        "version": version,
        "evaluation": ready,
        "headline": headline(ready.summary) if ready else None,
        "running": running,
    }
    return Panel(template="evaluations/_version_panel.html", context=context)
