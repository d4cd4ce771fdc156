"""The stage in which outside models answer, a few rows at a time."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from evaluations.judges.backends.base import Completion
from evaluations.judges.backends.errors import CutOff, JudgeError, Malformed, NotJSON, Refused, Rejected
from evaluations.judges.backends.openai import OpenAIJudge
from evaluations.judges.calling import Caller
from evaluations.judging.jurors import Juror, juror_of
from evaluations.models import (
    Answer,
    CallPurpose,
    EvaluatedModel,
    EvaluationItem,
    EvaluationRun,
    JudgeKind,
    ModelKind,
)
from evaluations.runs.stages.answers import Given, store, unanswered, unanswered_by
from jobs.outcomes import JobError, Running
from rest.errors import PortalError

STEP_SECONDS = 15.0
WAIT_SECONDS = 30.0

ANSWERING = (JudgeKind.OPENAI, JudgeKind.GATEWAY)
"""Kinds of judge whose model can be asked for an answer of its own."""


def ask_outside(run: EvaluationRun) -> Running | None:
    """Ask for about 15 seconds; None once every outside model has answered every row.

    Raises PortalError for a model that cannot be asked.
    """
    models = list(run.models.filter(kind=ModelKind.OUTSIDE).select_related("judge"))
    first = next(iter(unanswered_by(models)), None)
    if first is None:
        return None
    error = _ask(run, first)
    total, left = run.items.count() * len(models), sum(unanswered_by(models).values())
    waits_for, after = None, 0.0
    if error is not None:
        # What is answered is kept, so this waits for as long as nobody stops it.
        waits_for = JobError(code="evaluation:outside_model", text=f"{first.name}: {error.text}", temporary=True)
        after = max(error.retry_after or 0.0, WAIT_SECONDS)
    return Running(after=after, phase="asking", fraction=1 - left / total, waits_for=waits_for)


def _ask(run: EvaluationRun, model: EvaluatedModel) -> JudgeError | None:
    """The last passing failure, if nothing but failures came."""
    juror = _juror(model)
    until = time.monotonic() + STEP_SECONDS
    failure, answered = None, 0
    for item, outcome in juror.caller.attempt_all(_calls(run, model, juror.caller, until), until=until):
        juror.record(outcome.usage)
        if isinstance(outcome, JudgeError) and _is_of_row(outcome, model):
            store(run, model, [(item, Given(text="", usd=outcome.usage.cost_usd, error=outcome.kind))])
        elif isinstance(outcome, JudgeError):
            if not outcome.temporary:
                raise PortalError(f"{model.name}: {outcome.text}", code="evaluation:outside_model")
            failure = outcome
            continue
        else:
            store(run, model, [(item, _given(outcome))])
        answered += 1
    return None if answered else failure


def _is_of_row(error: JudgeError, model: EvaluatedModel) -> bool:
    """Whether asking again, or asking for other rows, tells nothing new: the row stays without an answer."""
    if isinstance(error, Rejected):
        # A server that has answered other rows knows the model, so it is this request that it does not take.
        return Answer.objects.filter(model=model, error="").exists()
    return isinstance(error, Refused | CutOff | Malformed) and not isinstance(error, NotJSON)


def _calls(
    run: EvaluationRun, model: EvaluatedModel, caller: Caller, until: float
) -> Iterator[tuple[EvaluationItem, Callable[[], Completion]]]:
    backend = caller.judge
    assert isinstance(backend, OpenAIJudge)  # noqa: S101 - services allow no other kind
    for item in unanswered(model):
        if time.monotonic() >= until:
            return
        yield item, partial(backend.complete, item.messages, item.tools, max_tokens=run.answer_tokens)


def _juror(model: EvaluatedModel) -> Juror:
    if model.judge is None:
        text = f"{model.name} no longer exists among the judges. Evaluate again without it."
        raise PortalError(text, code="evaluation:outside_model")
    juror = juror_of(model.judge)
    if juror.fingerprint != model.sha256:
        text = f"{model.name} was changed in the meantime. Evaluate again."
        raise PortalError(text, code="evaluation:outside_model")
    return replace(juror, purpose=CallPurpose.ANSWERING)


def _given(completion: Completion) -> Given:
    return Given(
        text=completion.text,
        log_probability=completion.log_probability,
        completion_tokens=completion.usage.tokens_out,
        seconds=completion.usage.latency_ms / 1000,
        usd=completion.usage.cost_usd,
    )
