"""From stored verdicts to figures, cost and the worst examples of a qualification."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from django.db.models import Count, Sum

from evaluations.judges.prompts import Better
from evaluations.judging.jurors import Juror
from evaluations.judging.queries import Known, known_of
from evaluations.models import Verdict
from evaluations.qualification.cases import Case, cases, everything, pairs
from evaluations.qualification.figures import Figures, Outcome, distance, figures_of

EXAMPLES = 6
NOT_ASKED = "not_asked"


def figures(known: Mapping[str, Known], left: Mapping[str, int]) -> Figures:
    """Figures of the verdicts by key; `left` counts by why what never got one."""
    found = figures_of(cases(), pairs(), {key: _outcome(key, verdict) for key, verdict in known.items()})
    rest = found.missing.get(NOT_ASKED, 0)
    missing = {why: count for why, count in found.missing.items() if why != NOT_ASKED}
    for why, count in left.items():
        missing[why] = missing.get(why, 0) + min(count, rest)
        rest -= min(count, rest)
    if rest:
        missing[NOT_ASKED] = rest
    return replace(found, missing=missing)


def examples(known: Mapping[str, Known]) -> list[dict[str, Any]]:
    """The grades furthest from those that fit, worst first, as the page shows them."""
    off = [
        (distance(case, verdict.score), case, verdict)
        for case in cases()
        if (verdict := known.get(case.key)) is not None and verdict.score is not None
    ]
    worst = sorted((one for one in off if one[0] > 0.5), key=lambda one: (-one[0], one[1].key))
    return [_example(case, verdict) for _, case, verdict in _varied(worst)]


def verdicts(juror: Juror) -> dict[str, Known]:
    """What is stored, by key of the case or pair."""
    keys = {one.key: juror.key(one.prompt) for one in everything()}
    known = known_of(keys.values())
    return {key: known[stored] for key, stored in keys.items() if stored in known}


def cost(juror: Juror) -> dict[str, Any]:
    """What the stored verdicts cost, as `Qualification.cost` keeps it. Calls that never led to one are not in it."""
    keys = [juror.key(one.prompt) for one in everything()]
    names = ("calls", "tokens_in", "tokens_out", "usd")
    sums = {f"{name}_sum": Sum(name) for name in names}
    counts = {f"{name}_known": Count(name) for name in names}
    found = Verdict.objects.filter(key__in=keys).aggregate(rows=Count("id"), **sums, **counts)
    # A sum over rows of which some are unknown is not known.
    known = {name: (found[f"{name}_sum"] or 0) if found[f"{name}_known"] == found["rows"] else None for name in names}
    return {**known, "usd": None if known["usd"] is None else f"{known['usd']:f}"}


def _outcome(key: str, verdict: Known) -> Outcome:
    if verdict.error:
        return Outcome(error=verdict.error)
    if verdict.choice:
        return Outcome(better=cast(Better, verdict.choice))
    return Outcome(score=verdict.score)


def _varied(worst: Iterable[tuple[float, Case, Known]]) -> list[tuple[float, Case, Known]]:
    """At most two of a kind, so that one fault does not hide the others."""
    found: list[tuple[float, Case, Known]] = []
    for one in worst:
        if len(found) < EXAMPLES and sum(one[1].kind == other[1].kind for other in found) < 2:
            found.append(one)
    return found


def _example(case: Case, verdict: Known) -> dict[str, Any]:
    return {
        "key": case.key,
        "kind": case.kind,
        "question": case.question,
        "expected": case.prompt.reference,
        "answer": case.prompt.answer,
        "score": verdict.score,
        "highest": case.prompt.highest,
        "band": list(case.band),
        "reason": verdict.reason,
    }
