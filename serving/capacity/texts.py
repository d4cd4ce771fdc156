"""The capacity of an endpoint in words, for the operator's page and command."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from django.template.defaultfilters import filesizeformat

from lorakit.capacity.advice import changes_that_fit, problem_of
from lorakit.capacity.machines import usable_gpu_bytes
from lorakit.capacity.plan import plan_of
from lorakit.capacity.residency import Tier
from serving.backends.recommending import Recommendation
from serving.backends.residency import Residency
from serving.capacity.predictions import median_errors
from serving.capacity.questions import Answer, Outlook, Verdict, outlook_of, slower
from serving.capacity.twins import Twin
from serving.models import CapacityPrediction, CapacityRecommendation

TIERS = {
    Tier.HOT: "usually in a slot",
    Tier.WARM: "usually in the machine’s memory",
    Tier.COLD: "usually read from disk when they are asked",
}

UNMEASURED = "–"


def memory_text(twin: Twin) -> str:
    """What the plan has room for, in one sentence or two."""
    plan, setup = twin.plan, twin.setup
    if problem := problem_of(plan):
        return problem
    whole = plan.sequences(setup.context)
    text = f"Room for {whole:,} requests of {setup.context:,} tokens at once"
    if twin.tokens is not None:
        usual = twin.tokens.read + twin.tokens.written
        text += f", or {plan.sequences(usual):,} of the usual {usual:,} tokens"
    text += "."
    if plan.limit is None:
        return f"{text} The machine’s memory isn’t known, so nothing says whether more fits."
    most = plan.most_slots(min(whole, setup.width))
    return f"{text} Up to {most:,} slots leave room for as many." if most and most > setup.slots else text


def remedies(twin: Twin) -> list[str]:
    """What would make it fit, each by itself; empty if it does."""
    return [change.text for change in changes_that_fit(twin.shape, twin.plan)]


def verdict_text(twin: Twin, answer: Answer) -> str:
    """The answer to "may I add this adapter?"."""
    setup, wish = twin.setup, answer.wish
    what = "the adapter" if wish.adapters == 1 else f"{wish.adapters:,} adapters"
    match answer.verdict:
        case Verdict.REFUSED:
            text = f"No. Rank {wish.rank} is above this endpoint’s highest rank, {setup.max_rank}."
            return text + _higher(twin, answer)
        case Verdict.TOO_MUCH:
            return f"No. With {what}, requests of the busiest hour come faster than the engine answers them."
        case Verdict.SLOWER:
            times = slower(answer.before, answer.after)
            return f"Yes, but everyone waits longer: requests take {times:.1f} times as long."
        case Verdict.TURNS:
            text = f"Yes. {answer.after.held:,} adapters take turns in {setup.slots:,} slots."
            return f"{text} New ones would be {answer.tier}: {TIERS[answer.tier]}."
        case Verdict.FITS:
            return "Yes. Every adapter keeps a slot."


def figures(twin: Twin, residency: Residency | None = None) -> Iterator[tuple[str, str, str, str]]:
    """(icon, title, value, note) of how full an endpoint is, with the slots that it says are used."""
    outlook = outlook_of(twin)
    used, slots = min(outlook.held, twin.setup.slots), twin.setup.slots
    if residency is not None:
        used = sum(one.level == "gpu" for one in residency.adapters.values())
        slots = slots if residency.slots is None else residency.slots
    yield "stack-2", "Slots", f"{used:,} of {slots:,}", _turns(twin)
    yield "gauge", "Utilisation", _utilisation(outlook), f"{_busiest(outlook)} in the busiest hour"
    yield "clock", "p95", _p95(outlook), "in the last seven days"
    seconds = residency.seconds_a_load if residency else None
    each = "" if seconds is None else f", {duration_text(seconds * 1000)} each"
    yield "hourglass", "Waits for a slot", f"{outlook.misses:,.0f}", f"requests a day, calculated{each}"


def parts(twin: Twin, residency: Residency | None = None) -> Iterator[tuple[str, int, int | None, str]]:
    """(title, planned bytes, measured bytes, how they come about) of the memory's parts."""
    setup, plan = twin.setup, twin.plan
    precision = {"fp32": "32 bits", "bf16": "16 bits", "nf4": "4 bits"}[setup.precision]
    grows = "grows with requests" if plan.limit is None else "what is left"
    zeroth = " and one for the base" if setup.engine == "lorakit" else ""
    how = {
        "base": f"{twin.shape.parameters:,} parameters in {precision}",
        "slots": f"{setup.slots:,} slots of rank {setup.slot_rank}{zeroth}, {filesizeformat(plan.slot)} each",
        "process": "the process itself, with its libraries" if not setup.has_gpu else "CUDA, and activations of a step",
        "lanes": "a copy for each request of a batch, as they come",
        "cache": f"{grows}; {filesizeformat(plan.token)} for each token",
    }
    for key, title, size in plan.parts:
        yield title, size, residency.memory.get(key) if residency else None, how[key]
    if plan.host:
        yield "In the machine’s memory", plan.host, None, f"up to {setup.host_adapters:,} adapters"


def comparison(answer: Answer) -> Iterator[tuple[str, str, str]]:
    """(what, before, after) of everything that changes for everyone."""
    before, after = answer.before, answer.after
    yield "Adapters", f"{before.held:,}", f"{after.held:,}"
    yield "Usually in a slot", f"{before.hot:,}", f"{after.hot:,}"
    yield "Requests a day that wait for a slot", f"{before.misses:,.0f}", f"{after.misses:,.0f}"
    for title, show in (
        ("Utilisation", _utilisation),
        ("Utilisation in the busiest hour", _busiest),
        ("p95", _p95),
    ):
        yield title, show(before), show(after)


def compared(rows: Iterable[CapacityPrediction]) -> Iterator[tuple[CapacityPrediction, list[tuple[str, str]]]]:
    """Each prediction with its (predicted, measured) pairs, in the order of SHOWN."""
    for row in rows:
        pairs = ((show, row.predicted.get(name), row.measured.get(name)) for name, _, show in SHOWN)
        yield row, [(_shown(show, predicted), _shown(show, measured)) for show, predicted, measured in pairs]


def errors_text(rows: Sequence[CapacityPrediction]) -> str:
    """How far off these predictions were, in one sentence; empty before any was measured."""
    errors = median_errors(rows)
    said = [f"{title} {errors[name]:.0%}" for name, title, _ in SHOWN if name in errors]
    return f"Half of them were off by less than: {', '.join(said)}." if said else ""


def options_of(
    twin: Twin, recommendation: CapacityRecommendation
) -> Iterator[tuple[Recommendation, str, Sequence[str]]]:
    """(what the cloud recommends, what our plan has room for on that machine, its expected performance), in words."""
    for stored in recommendation.answer:
        option = Recommendation.from_dict(stored)
        size = usable_gpu_bytes(option.machine)
        ours = "not known"
        if size is not None:
            plan = plan_of(twin.shape, twin.setup.but(device_bytes=size, gpus=1))
            context = twin.setup.context
            room = f"room for {plan.sequences(context):,} requests of {context:,} tokens on one GPU"
            ours = problem_of(plan) or room
        yield option, ours, [f"{metric}: {value}" for metric, value in option.performance]


def duration_text(milliseconds: float) -> str:
    """For people."""
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:,.1f} s"
    return f"{milliseconds:,.0f} ms" if milliseconds >= 10 else f"{milliseconds:,.1f} ms"


def _turns(twin: Twin) -> str:
    free = twin.setup.slots - len(twin.adapters)
    if free >= 0:
        return f"{free:,} for more adapters"
    pinned = f", {twin.pinned:,} pinned" if twin.pinned else ""
    return f"{len(twin.adapters) - twin.pinned:,} adapters take turns{pinned}"


def _higher(twin: Twin, answer: Answer) -> str:
    plan = answer.higher
    if plan is None:
        return ""
    more = filesizeformat(plan.slots - twin.plan.slots)
    text = f" Slots of rank {plan.setup.slot_rank} would take {more} more"
    if problem_of(plan):
        return f"{text}, which don’t fit."
    return (
        f"{text} and leave room for {plan.sequences(plan.setup.context):,} requests of {plan.setup.context:,} tokens."
    )


def _shown(show: Callable[[float], str], value: float | None) -> str:
    return UNMEASURED if value is None else show(value)


def _utilisation(outlook: Outlook) -> str:
    return f"{outlook.demand.usual.utilisation:.0%}" if outlook.demand else UNMEASURED


def _busiest(outlook: Outlook) -> str:
    return f"{outlook.demand.busiest.utilisation:.0%}" if outlook.demand else UNMEASURED


def _p95(outlook: Outlook) -> str:
    if outlook.demand is None:
        return UNMEASURED
    if math.isinf(outlook.demand.usual.slowdown):
        return "no end"
    return UNMEASURED if outlook.demand.p95_ms is None else duration_text(outlook.demand.p95_ms)


SHOWN: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("p95_ms", "p95", duration_text),
    ("waits_a_day", "waits for a slot", lambda waits: f"{waits:,.0f}"),
    ("memory_bytes", "memory", filesizeformat),
)
"""(name, title, how it is written) of a prediction's figures."""
