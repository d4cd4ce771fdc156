"""One row of everything for one tenant, whose texts all carry a canary that no other tenant may ever see."""

import datetime as dt

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Model
from django.utils import timezone

from adapters.models import Adapter, AdapterVersion, BaseModel, BaseModelWork, Sweep, TrainingRun, WorkState
from adapters.recipes.catalogue import get_recipe
from corpora.models import Dataset, Upload, UploadState
from evaluations.models import (
    Alignment,
    AlignmentExample,
    AlignmentState,
    Answer,
    Approval,
    Assignment,
    Decision,
    EvaluatedModel,
    EvaluationItem,
    EvaluationRun,
    EvaluationState,
    GatePolicy,
    Grade,
    Judge,
    JudgeKind,
    Judging,
    JudgingState,
    Licence,
    Qualification,
    QualificationState,
    Review,
    ReviewRound,
    RoundItem,
    Turn,
    TurnState,
    Verdict,
)
from evaluations.rubrics.document import parsed
from evaluations.rubrics.services import create_rubric
from evaluations.runs.contenders import contenders
from jobs.models import Job
from jobs.states import State
from lorakit.gates.policy import DEFAULT
from metering.models import Alert, Budget, Discount, Price
from serving.endpoints.services import ensure_endpoint
from serving.models import (
    Deployment,
    DeploymentState,
    Freeze,
    Promotion,
    Route,
    Router,
    RouterLearning,
    SiteFreeze,
    Trial,
    TrialCopy,
    TrialState,
)
from storage.objects import object_key
from tenants.keys.services import create_api_key
from tenants.models import Membership, Tenant, User, WebhookDelivery, WebhookEvent
from tenants.people.services import invite
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tenants.webhooks.services import create_webhook
from tests.corpora.stored import chat, finding, stored_version

CANARY = "canary-7f3a"


def make_world(tenant: Tenant, person: User) -> dict[type[Model], Model]:
    """Rows by model, all of `tenant`."""
    with tenant_scope(tenant.id):
        dataset = Dataset.objects.create(name=CANARY)
        dataset_version = stored_version(
            dataset, [chat(CANARY, CANARY)], findings=[finding(1, text=CANARY)], file_name=f"{CANARY}.jsonl",
            job=_job("dataset_check"), problems=[{"line": 1, "field": CANARY, "code": "data_type", "text": CANARY}],
        )  # fmt: skip
        upload = Upload.objects.create(
            dataset=dataset, file_name=f"{CANARY}.jsonl", bytes=1, state=UploadState.WAITING, key=CANARY
        )
        base_model = BaseModel.objects.create(name="base", title="Base", location="base")
        work = BaseModelWork.objects.create(
            kind=BaseModelWork.Kind.ADD,
            name="other",
            source="hf://maker/other",
            state=WorkState.FAILED,
            error_text=CANARY,
        )
        adapter = Adapter.objects.create(name=CANARY, description=CANARY, base_model=base_model)
        sweep = Sweep.objects.create(adapter=adapter, grid={})
        run = TrainingRun.objects.create(
            adapter=adapter, dataset_version=dataset_version, job=_job("training"), recipe="style", sweep=sweep,
            hyperparameters=get_recipe("style").for_base(base_model).hyperparameters.to_dict(),
        )  # fmt: skip
        package = default_storage.save(object_key(tenant.id, "package"), ContentFile(CANARY.encode()))
        version = AdapterVersion.objects.create(
            adapter=adapter,
            number=1,
            run=run,
            package_key=package,
            package_sha256="1" * 64,
            package_bytes=1,
            rank=8,
        )
        evaluation = EvaluationRun.objects.create(
            version=version, dataset_version=dataset_version, job=_job("evaluation"), state=EvaluationState.READY,
        )  # fmt: skip
        item = EvaluationItem.objects.create(
            run=evaluation, position=0, messages=[{"role": "user", "content": CANARY}], reference=CANARY
        )
        (model,) = EvaluatedModel.objects.bulk_create(contenders(evaluation, base=False, versions=()))
        answer = Answer.objects.create(item=item, model=model, text=CANARY)
        criterion = {"name": CANARY, "description": CANARY}
        rubric = create_rubric(tenant=tenant, document=parsed({"name": CANARY, "criteria": [criterion]}))
        used = create_rubric(tenant=tenant, document=parsed({"name": f"{CANARY} used", "criteria": [criterion]}))
        judging = Judging.objects.create(
            run=evaluation,
            state=JudgingState.READY,
            judges=[{"name": CANARY, "is_llm": False}],
            why=CANARY,
            rubric_version=used.versions.get(),
        )
        graded = Grade.objects.create(judging=judging, answer=answer, score=3.0, reason=CANARY)
        review_round = ReviewRound.objects.create(
            run=evaluation, number=1, candidate=model, seed=CANARY, created_by=person
        )
        Assignment.objects.create(round=review_round, reviewer=person)
        round_item = RoundItem.objects.create(round=review_round, position=1, item=item, answer=answer)
        Turn.objects.create(
            round_item=round_item, reviewer=person, state=TurnState.GRADED, expires_at=timezone.now(), reason=CANARY
        )
        review = Review.objects.create(round_item=round_item, reviewer=person, grade=3, comment=CANARY)
        # No judge may ask there.
        judge = Judge.objects.create(name=CANARY, kind=JudgeKind.OPENAI, model=CANARY, address="https://127.0.0.1:9/v1")
        verdict = Verdict.objects.create(
            key=CANARY, prompt_sha256=CANARY, judge=judge, judge_name=CANARY, score=3.0, reason=CANARY, calls=1
        )
        qualification = Qualification.objects.create(
            judge=judge, fingerprint=CANARY, job=_job("judge_qualification"), state=QualificationState.FAILED
        )
        policy = GatePolicy.objects.create(adapter=adapter, number=1, document=DEFAULT.to_dict(), sha256=DEFAULT.sha256)
        decision = Decision.objects.create(
            version=version, number=1, run=evaluation, policy=policy, document=policy.document, leaked=[]
        )
        licence = Licence.objects.create(
            fingerprint=CANARY, judges=[{"name": CANARY}], judge=judge, reason=CANARY, assessed_at=timezone.now()
        )
        alignment = Alignment.objects.create(
            judge=judge, judge_version=1, judge_fingerprint=CANARY, before_fingerprint=CANARY, fingerprint=CANARY,
            job=_job("judge_alignment"), state=AlignmentState.MEASURED, labels=1, example_count=1, measured=[],
        )  # fmt: skip
        AlignmentExample.objects.create(
            alignment=alignment, position=1, criterion=CANARY, answer=answer, cluster=CANARY, grade=1, score=3.0,
            comment=CANARY,
        )  # fmt: skip
        endpoint = ensure_endpoint(name="shared", backend="default", base_model=base_model)
        deployment = Deployment.objects.create(
            endpoint=endpoint, version=version, name=CANARY, state=DeploymentState.IN_SERVICE
        )
        route = Route.objects.create(adapter=adapter, alias=CANARY, active=deployment, switched_at=timezone.now())
        router = Router.objects.create(
            name=f"{CANARY}-router",
            default=CANARY,
            rules=[{"id": CANARY, "kind": "keyword", "texts": [CANARY], "target": CANARY}],
            targets=[{"name": CANARY, "description": CANARY, "examples": [CANARY]}],
        )
        learning = RouterLearning.objects.create(
            router=router, source="1" * 64, report={"table": {CANARY: {CANARY: 1}}}
        )
        promotion = Promotion.objects.create(version=version, job=_job("promotion"), deployment=deployment)
        trial = Trial.objects.create(
            adapter=adapter, live=deployment, candidate=deployment, job=_job("trial"), state=TrialState.STOPPED,
            share=0.1, salt=CANARY[:32], window=dt.timedelta(minutes=10), ends_at=timezone.now(),
        )  # fmt: skip
        trial_copy = TrialCopy.objects.create(
            trial=trial, caller=CANARY[:32], messages=[{"role": "user", "content": CANARY}], live_text=CANARY,
            candidate_text=CANARY,
        )  # fmt: skip
        # Over, so that versions can be promoted.
        over = {"starts_at": timezone.now() - dt.timedelta(days=2), "ends_at": timezone.now() - dt.timedelta(days=1)}
        freeze = Freeze.objects.create(adapter=adapter, reason=CANARY, **over)
        site_freeze = SiteFreeze.objects.create(reason="Over", **over)
        dated = {"valid_from": timezone.now(), "recorded_at": timezone.now(), "service": "hosting"}
        price = Price.objects.create(
            item="ml.none.large", unit="hour", amount=1, currency="USD", source="hand", **dated
        )
        discount = Discount.objects.create(percent=10, reason="Plan", **dated)
        webhook, _ = create_webhook(tenant=tenant, url=f"https://127.0.0.1:9/{CANARY}")
        event = WebhookEvent.objects.create(kind="job.failed", data={"title": CANARY})
        delivery = WebhookDelivery.objects.create(webhook=webhook, event=event, state="failed")
        budget = Budget.objects.create(
            scope="adapter", value=CANARY, amount_micros=1_000_000, note=CANARY, set_at=timezone.now()
        )
        alert = Alert.objects.create(
            kind="budget", subject=str(budget.id), occasion=CANARY, title=CANARY, text=CANARY, seen_at=timezone.now()
        )
        key, _ = create_api_key(tenant=tenant, name=CANARY)
        colleague = User.objects.create_user(f"{CANARY}@example.com", name=CANARY)
        membership = Membership.objects.create(user=colleague, role=Role.MEMBER)
        email = f"invited-{CANARY}@example.com"
        invitation, _ = invite(tenant=tenant, email=email, role=Role.MEMBER, invited_by=person)
        approval = Approval.objects.create(decision=decision, person=colleague, comment=CANARY)
        rows = (dataset, dataset_version, upload, adapter, sweep, run, version, evaluation, item, model, answer,
                judging, graded, review, review_round, round_item, judge, verdict, qualification, licence, alignment,
                rubric, policy, decision, approval,
                deployment, route, router, learning, promotion, trial, trial_copy, freeze, site_freeze, price,
                discount, budget, alert, webhook, event, delivery, key, membership, invitation, run.job, base_model,
                work, endpoint, tenant)  # fmt: skip
        return {type(row): row for row in rows}


def _job(kind: str) -> Job:
    job: Job = Job.objects.create(kind=kind, title=CANARY, state=State.SUCCEEDED, error_text=CANARY)
    return job
