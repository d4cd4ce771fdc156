"""The evaluation job: models answer the rows, then metrics and the site's judge score the answers.

Each stage looks for what is missing and does only that, so a step may run twice.
"""

from pathlib import Path
from typing import Any

from evaluations.judges.backends import judges
from evaluations.metrics.encoders import EncoderError
from evaluations.models import EvaluationRun, EvaluationState
from evaluations.runs.judgings.services import judge_at_once
from evaluations.runs.stages.alternatives import add_alternatives, lacks_alternatives
from evaluations.runs.stages.answers import take_known
from evaluations.runs.stages.generation import PREDICTIONS, generation_spec, models_to_ask, store_predictions
from evaluations.runs.stages.grading import SITE_JUDGE, grade_run
from evaluations.runs.stages.outside import ask_outside
from evaluations.runs.stages.rows import store_rows
from evaluations.runs.stages.scoring import score_run
from jobs.backends.base import ComputeBackend, ComputeSpec
from jobs.compute.kinds import ComputeKind
from jobs.models import Job
from jobs.outcomes import JobError, Outcome, Running, Succeeded

PREPARING = "preparing"
SCORING = "scoring"


class EvaluationKind(ComputeKind):
    """Runs lorakit.generate for the answers that are not known from earlier evaluations."""

    name = "evaluation"
    title = "Evaluation"
    max_attempts = 3

    def step(self, job: Job) -> Outcome:
        try:
            return self._advance(job, _run_of(job))
        except EncoderError as error:
            # What is done is kept, so this waits until the operator has it running again, or somebody stops the job.
            away = JobError(code="platform:encoder", text=error.text, temporary=True)
            return Running(after=error.after, waits_for=away)

    def _advance(self, job: Job, run: EvaluationRun) -> Outcome:
        if not run.answer_tokens:
            store_rows(run)
            take_known(run)
        if lacks_alternatives(run):
            if job.phase != PREPARING:
                # Comparing thousands of training rows may take a minute, so its page says what it does.
                return Running(after=0.0, phase=PREPARING)
            add_alternatives(run)
            take_known(run)
        if models_to_ask(run):
            outcome = super().step(job)
            if not isinstance(outcome, Succeeded):
                return outcome
        if (waiting := ask_outside(run)) is not None:
            return waiting
        if job.phase != SCORING:
            # Scoring may take a minute or two, so its page says what it does.
            return Running(after=0.0, phase=SCORING, fraction=1.0)
        summary = score_run(run)
        if not judges[SITE_JUDGE].is_llm:
            grade_run(run)
        return Succeeded(result={"rows": summary["all"]["rows"], "summary": summary})

    def prepare(self, job: Job) -> ComputeSpec:
        return generation_spec(_run_of(job))

    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        backend.fetch(job.external_name, PREDICTIONS, folder / PREDICTIONS)
        store_predictions(_run_of(job), folder / PREDICTIONS)
        return {}

    def on_succeeded(self, job: Job) -> None:
        # Answers and scores are there already; this is the moment they count.
        EvaluationRun.objects.filter(job=job).update(state=EvaluationState.READY, summary=job.result["summary"])
        judge_at_once(_run_of(job))

    def on_failed(self, job: Job) -> None:
        EvaluationRun.objects.filter(job=job).update(state=EvaluationState.FAILED)

    def on_stopped(self, job: Job) -> None:
        EvaluationRun.objects.filter(job=job).update(state=EvaluationState.STOPPED)


def _run_of(job: Job) -> EvaluationRun:
    related = ("version__adapter__base_model", "version__run__dataset_version", "base_model", "dataset_version")
    return EvaluationRun.objects.select_related(*related).get(job=job)
