"""Whether enough is judged, and in words why not. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from evaluations.judging.grades import NOT_ASKED

NEEDED = 0.95
"""Share of the answers of each model that must have a grade; with fewer, the judge may have left out the hard ones."""

LASTING = {
    "refused": "{count} declined by the model or a filter",
    "cut_off": "{count} too long for the model",
    NOT_ASKED: "{count} not given so far",
}
PASSING = {
    "timeout": "time-outs",
    "throttled": "requests over the limit",
    "unavailable": "server errors",
    "malformed": "replies that do not fit the schema",
    "rejected": "rejected requests",
    "unauthorised": "requests with a wrong secret",
    "circuit_open": "requests to a judge that is down",
    "claimed": "requests that another run makes",
}

Part = tuple[str, int, int, Mapping[str, int]]
"""(what it is, judged, rows, {why: missing scores})"""


def why_incomplete(parts: Sequence[Part], left: Mapping[str, int]) -> str:
    """A text for people, empty if enough of every part is judged. `left` counts passing failures by why."""
    if not any(rows for _, _, rows, _ in parts):
        return "INCOMPLETE: there is nothing to judge."
    short = [part for part in parts if part[1] < NEEDED * part[2]]
    if not short:
        return ""
    what, judged, rows, _ = min(short, key=lambda part: part[1] / part[2])
    missing = sum((Counter(one[3]) for one in short), Counter[str]())
    # Rounded down: 94.96% must not read as enough.
    share = f"{judged:,} of {rows:,} ({int(1000 * judged / rows) / 10:g}%)"
    more = f", and {len(short) - 1} more fall short" if len(short) > 1 else ""
    needed = f"INCOMPLETE: of {what}, {share} are judged{more}; at least {NEEDED:.0%} are needed."
    return f"{needed} Missing verdicts: {_listed(missing, left)}."


def _listed(missing: Mapping[str, int], left: Mapping[str, int]) -> str:
    texts = []
    for why, count in sorted(missing.items(), key=lambda item: -item[1]):
        text = LASTING.get(why, f"{{count}} failed ({why})").format(count=f"{count:,}")
        if why == NOT_ASKED and left:
            faults = [f"{n:,} {PASSING.get(kind, kind)}" for kind, n in sorted(left.items(), key=lambda item: -item[1])]
            text += f" (last attempt: {', '.join(faults)})"
        texts.append(text)
    return "; ".join(texts)
