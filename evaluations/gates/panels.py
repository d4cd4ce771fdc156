"""The verdict on the page of an adapter version."""

from adapters.models import AdapterVersion
from adapters.versions.panels import Panel
from evaluations.gates.queries import newest_decision
from evaluations.gates.verdicts import verdict_of
from evaluations.runs.queries import latest_ready


def decision_panel(version: AdapterVersion) -> Panel | None:
    """What the last decision says, or a hint to open one. Nothing before the version is evaluated."""
    decision = newest_decision(version)
    if decision is None and latest_ready(version) is None:
        return None
    verdict = verdict_of(decision) if decision else None
    facts: tuple[tuple[str, str], ...] = ()
    if decision is not None and verdict is not None and not decision.is_open:
        facts = (
            ("Decision", decision.get_state_display()),
            *((one.title, f"{one.shown} ({one.state})") for one in verdict.outcomes),
        )
    context = {"version": version, "decision": decision, "verdict": verdict}
    return Panel(template="evaluations/gates/_version_panel.html", context=context, title="Decision", facts=facts)
