"""Why a setup does not fit, and the smallest changes that would make it fit."""

from collections.abc import Iterator
from dataclasses import dataclass

from lorakit.capacity.machines import GIB, ONE_GPU, usable_gpu_bytes
from lorakit.capacity.plan import Plan, plan_of
from lorakit.capacity.shape import Shape

CONTEXT_STEP = 256
"""Tokens in which a shorter context is proposed."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change by itself: the `name` of the setup's field, its new value, and what to say."""

    name: str
    value: int | str
    text: str


def problem_of(plan: Plan, *, sequences: int = 1) -> str:
    """Why so many sequences of the longest context don't fit at once; empty if they do."""
    if plan.sequences(plan.setup.context) >= min(sequences, plan.setup.width):
        return ""
    limit = plan.limit or 0
    need = plan.fixed + sequences * plan.setup.context * plan.token
    what = "one sequence" if sequences == 1 else f"{sequences:,} sequences"
    return (
        f"The base model, {plan.setup.slots:,} slots of rank {plan.setup.slot_rank} and {what} of "
        f"{plan.setup.context:,} tokens need {_gib(need)}, and the engine may use {_gib(limit)}."
    )


def changes_that_fit(shape: Shape, plan: Plan, *, sequences: int = 1) -> Iterator[Change]:
    """Each by itself makes room for so many sequences. Nothing where nothing is wrong, or nothing helps."""
    if plan.limit is None or not problem_of(plan, sequences=sequences):
        return
    setup = plan.setup

    def fits(**changes: int) -> bool:
        return not problem_of(plan_of(shape, setup.but(**changes)), sequences=sequences)

    if slots := plan.most_slots(sequences):
        yield Change(name="slots", value=slots, text=f"Use {slots:,} slots instead of {setup.slots:,}.")
    if rank := next((rank for rank in reversed(setup.lower_ranks) if fits(max_rank=rank)), None):
        yield Change(name="max_rank", value=rank, text=f"Lower the highest rank to {rank}.")
    tokens = max(0, plan.cache) // (plan.token * sequences) // CONTEXT_STEP * CONTEXT_STEP
    if CONTEXT_STEP <= tokens < setup.context and fits(context=tokens):
        yield Change(name="context", value=tokens, text=f"Shorten the context to {tokens:,} tokens.")
    for machine in ONE_GPU if setup.has_gpu else ():
        size = usable_gpu_bytes(machine)
        if size and size > (setup.device_bytes or 0) and fits(device_bytes=size, gpus=1):
            text = f"Use {machine}, whose GPU has {_gib(size)}."
            yield Change(name="device_bytes", value=machine, text=text)
            return


def _gib(count: int) -> str:
    return f"{count / GIB:,.1f} GiB"
