"""The large site that bench/scale.py measures: two hundred tenants, half of everything in one of them.

The same for each run: values come from one seed. Rows are written in bulk, past the services, in the shapes that those
leave behind; only one dataset is really checked, so that its rows can be browsed.
"""

import datetime as dt
import io
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.db import connection, models
from django.utils import timezone

from adapters.models import Adapter, AdapterVersion, BaseModel, Sweep, TrainingRun
from adapters.recipes.catalogue import get_recipe
from corpora.models import Dataset, DatasetVersion, Upload, UploadState, VersionState
from corpora.versions.services import upload_version
from evaluations.models import (
    Answer,
    Assignment,
    EvaluatedModel,
    EvaluationItem,
    EvaluationRun,
    EvaluationState,
    Grade,
    Judging,
    JudgingState,
    Review,
    ReviewRound,
    RoundItem,
    Turn,
    TurnState,
)
from evaluations.reviews.rounds.services import MOST_REVIEWERS
from evaluations.runs.contenders import contenders
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job, JobEvent
from jobs.states import State
from serving.models import Deployment, DeploymentState, Endpoint, Promotion, Route
from tenants.models import ApiKey, Membership, Tenant, User
from tenants.people.services import create_tenant
from tenants.permissions import Role
from tenants.scope import system_scope, tenant_scope

SEED = 7
TENANTS = 200
DATASETS, VERSIONS_OF_EACH = 500, 3
ROWS_OF_THE_CHECKED_ONE = 20_000
ADAPTERS, RUNS, EVENTS_OF_A_RUN = 2_000, 2_500, 48
SWEEPS, RUNS_OF_A_SWEEP = 40, 8
JOBS = 20_000
EVALUATIONS, ITEMS_OF_EACH, REVIEWERS = 300, 210, 3
LIVE, KEYS, UPLOADS, PROMOTIONS = 200, 40, 300, 1_000
BATCH = 2_000

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The large tenant, its owner, and the others."""

    tenant: Tenant
    owner: User
    others: list[Tenant]


def seed_site() -> Site:
    """Write everything but invocations and usage."""
    rng = random.Random(SEED)
    owner = User.objects.create_user("owner@example.com", name="Olive Owner")
    tenant = create_tenant(name="Large Law", owner=owner)
    with system_scope():
        base = BaseModel.objects.first() or BaseModel.objects.create(
            name="tiny-llama", title="Tiny Llama", location="nowhere", parameters=2_000_000
        )
        endpoint = Endpoint.objects.create(name="shared", backend="default", base_model=base)
        others = _many(Tenant(slug=f"tenant-{number}", name=f"Tenant {number:03}") for number in range(TENANTS - 1))
        for other in others:
            _small_tenant(other, base, endpoint)
        _LargeTenant(rng, tenant, owner, base, endpoint).seed()
        _spread_over_time()
    with tenant_scope(tenant.id):
        _check_a_dataset(tenant, owner, rng)
    return Site(tenant=tenant, owner=owner, others=others)


def _many(rows: Iterator[M] | Sequence[M]) -> list[M]:
    listed = list(rows)
    type(listed[0])._default_manager.bulk_create(listed, batch_size=BATCH)
    return listed


def _small_tenant(tenant: Tenant, base: BaseModel, endpoint: Endpoint) -> None:
    jobs = _many(Job(tenant=tenant, kind="training", title="Train", state=State.SUCCEEDED) for _ in range(4))
    dataset = Dataset.objects.create(tenant=tenant, name="Questions")
    version = DatasetVersion.objects.create(
        tenant=tenant, dataset=dataset, number=1, upload_bytes=1, state=VersionState.READY
    )
    adapters = _many(Adapter(tenant=tenant, name=f"desk-{number}", base_model=base) for number in range(4))
    runs = _many(
        TrainingRun(tenant=tenant, adapter=adapter, dataset_version=version, job=job, recipe="style")
        for adapter, job in zip(adapters, jobs, strict=True)
    )
    versions = _many(_adapter_version(run, 1) for run in runs)
    _many(_route(deployment) for deployment in _many(_deployment(version, endpoint) for version in versions))


def _adapter_version(run: TrainingRun, number: int) -> AdapterVersion:
    return AdapterVersion(
        tenant_id=run.tenant_id, adapter=run.adapter, number=number, run=run, package_key="packages/none",
        package_sha256=f"{run.id.hex}{run.id.hex}", package_bytes=400_000, rank=16, manifest=_MANIFEST,
        metrics={"loss": 1.2, "eval_loss": 1.3, "seconds": 300.0, "steps": 480},
    )  # fmt: skip


def _deployment(version: AdapterVersion, endpoint: Endpoint) -> Deployment:
    return Deployment(
        tenant_id=version.tenant_id, endpoint=endpoint, version=version, name=f"a-{version.id.hex}",
        state=DeploymentState.IN_SERVICE, in_service_at=timezone.now(),
    )  # fmt: skip


def _route(deployment: Deployment) -> Route:
    adapter = deployment.version.adapter
    return Route(
        tenant_id=deployment.tenant_id, adapter=adapter, alias=adapter.name, active=deployment,
        switched_at=timezone.now(),
    )  # fmt: skip


class _LargeTenant:
    def __init__(self, rng: random.Random, tenant: Tenant, owner: User, base: BaseModel, endpoint: Endpoint) -> None:
        self.rng, self.tenant, self.owner, self.base, self.endpoint = rng, tenant, owner, base, endpoint
        self.left = JOBS

    def seed(self) -> None:
        versions = self._datasets()
        trained = self._trainings(versions)
        self._evaluations(trained)
        self._served(trained)
        self._jobs("dataset_inspect", self.left)
        _many(
            ApiKey(tenant=self.tenant, name=f"Key {number}", public_id=f"{number:016}", secret_hash="0" * 64,
                   created_by=self.owner)
            for number in range(KEYS)
        )  # fmt: skip

    def _jobs(self, kind: str, count: int) -> list[Job]:
        self.left -= count
        now, states = timezone.now(), (State.SUCCEEDED, State.SUCCEEDED, State.SUCCEEDED, State.FAILED, State.STOPPED)
        jobs = []
        for number in range(count):
            ended = now - dt.timedelta(days=45 * self.rng.random())
            jobs.append(
                Job(
                    tenant=self.tenant, kind=kind, title=f"{kind} {number}", created_by=self.owner,
                    state=State.SUCCEEDED if kind != "dataset_inspect" else self.rng.choice(states),
                    spec={"version": str(number), "padding": "x" * 300}, result={"rows": 100, "padding": "x" * 300},
                    started_at=ended - dt.timedelta(minutes=5), finished_at=ended, fraction=1.0,
                    billable_seconds=300.0, usd_per_hour=Decimal("0.1"), price_source="An estimate", furthest_step=480,
                )
            )  # fmt: skip
        return _many(jobs)

    def _datasets(self) -> list[DatasetVersion]:
        datasets = _many(
            Dataset(tenant=self.tenant, name=f"Questions {number:04}", created_by=self.owner)
            for number in range(DATASETS)
        )
        jobs = iter(self._jobs("dataset_check", DATASETS * VERSIONS_OF_EACH))
        versions = _many(
            DatasetVersion(
                tenant=self.tenant, dataset=dataset, number=number, job=next(jobs), state=VersionState.READY,
                file_name="rows.jsonl", file_format="jsonl", upload_bytes=1_000_000, row_count=1_000, train_count=900,
                test_count=100, profile=_PROFILE, problems=_PROBLEMS, problem_count=len(_PROBLEMS),
                created_by=self.owner,
            )
            for dataset in datasets
            for number in range(1, VERSIONS_OF_EACH + 1)
        )  # fmt: skip
        _many(
            Upload(
                tenant=self.tenant, dataset=version.dataset, file_name="rows.jsonl", bytes=1_000_000,
                received=1_000_000, state=UploadState.DONE, version=version, key="uploads/none",
            )
            for version in versions[:UPLOADS]
        )  # fmt: skip
        return versions

    def _trainings(self, versions: list[DatasetVersion]) -> list[AdapterVersion]:
        adapters = _many(
            Adapter(tenant=self.tenant, name=f"desk-{number:04}", base_model=self.base, created_by=self.owner)
            for number in range(ADAPTERS)
        )
        sweeps = _many(
            Sweep(tenant=self.tenant, adapter=adapters[number], grid={"rank": [8, 16, 32, 64]}, created_by=self.owner)
            for number in range(SWEEPS)
        )
        numbers = get_recipe("style").for_base(self.base).hyperparameters.to_dict()
        runs = _many(
            TrainingRun(
                tenant=self.tenant, adapter=sweep.adapter if sweep else adapters[number % ADAPTERS],
                dataset_version=versions[number % len(versions)], job=job, recipe="style", hyperparameters=numbers,
                sweep=sweep, created_by=self.owner,
            )
            for number, job in enumerate(self._jobs("training", RUNS))
            for sweep in [sweeps[number // RUNS_OF_A_SWEEP] if number < SWEEPS * RUNS_OF_A_SWEEP else None]
        )  # fmt: skip
        for start in range(0, RUNS, 100):
            _many(event for run in runs[start : start + 100] for event in self._events(run.job))
        counted: dict[Any, int] = {}
        trained = []
        for run in runs:
            counted[run.adapter_id] = counted.get(run.adapter_id, 0) + 1
            trained.append(_adapter_version(run, counted[run.adapter_id]))
        return _many(trained)

    def _events(self, job: Job) -> Iterator[JobEvent]:
        for seq in range(EVENTS_OF_A_RUN):
            data = {
                "step": seq * 10, "total": EVENTS_OF_A_RUN * 10, "loss": 3 / (1 + seq) + self.rng.random(),
                "fraction": seq / EVENTS_OF_A_RUN, "learning_rate": 0.002, "tokens_per_second": 5_000.0,
            }  # fmt: skip
            if seq % 8 == 7:
                data |= {"eval_loss": 3 / (1 + seq)}
            yield JobEvent(tenant=self.tenant, job=job, attempt=1, seq=seq, at=job.created_at, type="metric", data=data)

    def _evaluations(self, trained: list[AdapterVersion]) -> None:
        people = [User(email=f"reviewer-{number}@example.com", password="!") for number in range(REVIEWERS)]
        reviewers = [*_many(people), self.owner]
        _many(Membership(tenant=self.tenant, user=person, role=Role.REVIEWER) for person in reviewers[:-1])
        runs = _many(
            EvaluationRun(
                tenant=self.tenant, version=version, dataset_version=version.run.dataset_version, job=job,
                state=EvaluationState.READY, summary=_summary(version), created_by=self.owner,
            )
            for version, job in zip(trained, self._jobs("evaluation", EVALUATIONS), strict=False)
        )  # fmt: skip
        for start in range(0, EVALUATIONS, 10):
            items = _many(
                EvaluationItem(
                    tenant=self.tenant, run=run, position=position, slice=f"slice {position % 4}",
                    messages=[{"role": "user", "content": "What does clause 7 say? " * 20}],
                    reference="It limits liability. " * 10, uncertainty=self.rng.random(),
                )
                for run in runs[start : start + 10]
                for position in range(1, ITEMS_OF_EACH + 1)
            )  # fmt: skip
            self._answers(runs[start : start + 10], items)
            self._reviews(runs[start : start + 10], items, reviewers)

    def _reviews(self, runs: list[EvaluationRun], items: list[EvaluationItem], reviewers: list[User]) -> None:
        """A round of all answers of each evaluated version, in which every reviewer graded a few."""
        models = EvaluatedModel.objects.filter(run__in=runs, version__isnull=False)
        rounds = _many(
            ReviewRound(
                tenant=self.tenant, run=model.run, number=1, candidate=model, seed="scale",
                reviewers_per_item=MOST_REVIEWERS,
            )
            for model in models.select_related("run")
        )  # fmt: skip
        of_run = {one.run_id: one for one in rounds}
        answers = dict(Answer.objects.filter(model__in=models, item__in=items).values_list("item", "id"))
        _many(Assignment(tenant=self.tenant, round=one, reviewer=reviewer) for one in rounds for reviewer in reviewers)
        places = _many(
            RoundItem(tenant=self.tenant, round=of_run[item.run_id], position=item.position, item=item,
                      answer_id=answers[item.id])
            for item in items
        )  # fmt: skip
        given = [(place, reviewer) for place in places for reviewer in reviewers if self.rng.random() < 0.03]
        _many(
            Turn(tenant=self.tenant, round_item=place, reviewer=reviewer, state=TurnState.GRADED,
                 expires_at=timezone.now())
            for place, reviewer in given
        )  # fmt: skip
        _many(
            Review(tenant=self.tenant, round_item=place, reviewer=reviewer, grade=self.rng.randint(1, 5),
                   comment="Fine.")
            for place, reviewer in given
        )  # fmt: skip

    def _answers(self, runs: list[EvaluationRun], items: list[EvaluationItem]) -> None:
        models = _many(model for run in runs for model in contenders(run, base=True, versions=()))
        judgings = _many(
            Judging(tenant=self.tenant, run=run, state=JudgingState.READY, judges=_JUDGES, summary=_grades(run.version))
            for run in runs
        )
        judging_of = {judging.run_id: judging for judging in judgings}
        of_run: dict[UUID, list[EvaluatedModel]] = {}
        for model in models:
            of_run.setdefault(model.run_id, []).append(model)
        answers = _many(
            Answer(tenant=self.tenant, item=item, model=model, key=uuid4().hex, text="It limits liability. " * 10,
                   scores=_SCORES, is_right=model.position == 1)
            for item in items
            for model in of_run[item.run_id]
        )  # fmt: skip
        _many(
            Grade(tenant=self.tenant, judging=judging_of[answer.item.run_id], answer=answer, score=3.0,
                  reason="Close to the reference.")
            for answer in answers
        )  # fmt: skip

    def _served(self, trained: list[AdapterVersion]) -> None:
        live = [version for version in trained if version.number == 1][-LIVE:]
        deployments = _many(_deployment(version, self.endpoint) for version in live)
        _many(_route(deployment) for deployment in deployments)
        _many(
            Promotion(
                tenant=self.tenant, version=version, job=job, deployment=deployments[number % LIVE],
                fingerprint={"asked": 8, "same": 8}, created_by=self.owner,
            )
            for number, (version, job) in enumerate(
                zip(trained, self._jobs("promotion", PROMOTIONS), strict=False)
            )
        )  # fmt: skip


def _spread_over_time() -> None:
    """Django writes every `created_at` itself: let them lie in the 45 days before now, by their ids."""
    share = "('x' || substr(id::text, 1, 6))::bit(24)::int / 16777216.0"
    spread = (Dataset, DatasetVersion, Upload, Adapter, Sweep, TrainingRun, AdapterVersion, EvaluationRun, Review,
              Deployment, Promotion, ApiKey)  # fmt: skip
    with connection.cursor() as cursor:
        for model in spread:
            table = model._meta.db_table
            cursor.execute(f"UPDATE {table} SET created_at = now() - {share} * interval '45 days'")
        cursor.execute("UPDATE jobs_job SET created_at = coalesce(started_at, now() - interval '45 days')")


def _check_a_dataset(tenant: Tenant, owner: User, rng: random.Random) -> None:
    """A dataset that is uploaded and checked as a customer's is."""
    rows = (
        {"messages": [{"role": "user", "content": f"Question {number} about {rng.randint(1, 10**9)}?"},
                      {"role": "assistant", "content": f"Answer {number} " + "word " * rng.randint(5, 60)}]}
        for number in range(ROWS_OF_THE_CHECKED_ONE)
    )  # fmt: skip
    file = io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode())
    version = upload_version(
        tenant=tenant, file=file, file_name="checked.jsonl", dataset_name="Checked", created_by=owner
    )
    while DatasetVersion.objects.get(id=version.id).is_checking:
        for job_id in jobs_to_step():
            step_job(job_id)
        time.sleep(0.2)


_SCORES = {"exact_match": 0.0, "rouge_l": 0.4, "meteor": 0.5}
_MEANS = {"exact_match": 0.4, "rouge_l": 0.6, "meteor": 0.5}
_SLICES = (("all", ITEMS_OF_EACH), ("slice 0", 52), ("slice 1", 53), ("slice 2", 53), ("slice 3", 52))
_JUDGES = [{"alias": "default", "name": "Reference grader (no LLM)", "fingerprint": "", "is_llm": False}]


def _summary(version: AdapterVersion) -> dict[str, Any]:
    own = f"v{version.number}"
    difference = {"metric": "exact_match", "model": own, "against": "base", "mean": 0.2, "low": 0.1, "high": 0.3,
                  "p_value": 0.01, "rows": 52, "units": 52, "verdict": "better"}  # fmt: skip
    part = {"figures": {"base": _MEANS, own: _MEANS}, "differences": [difference], "unavailable": {}}
    return {name: {"rows": rows, **part} for name, rows in _SLICES}


def _grades(version: AdapterVersion) -> dict[str, Any]:
    figures = {"base": 3.5, f"v{version.number}": 3.5}
    return {name: {"figures": figures, "differences": []} for name, _ in _SLICES}


_PROFILE = {
    "position": "line", "layout": "prompt and completion", "warnings": [],
    "slices": [{"name": f"slice {number}", "rows": 10} for number in range(200)],
}  # fmt: skip
_PROBLEMS = [
    {"line": line, "field": "completion", "code": "dataset:missing_field", "text": "Fill it in. " * 5}
    for line in range(50)
]
_MANIFEST = {"schema": 1, "files": {f"file-{number}": "0" * 64 for number in range(20)}}
