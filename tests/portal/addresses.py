"""Every address of the site, and what its owner is answered there by each method it allows.

A new address is named in `ADDRESSES`; `test_every_address.py` says so until it is.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from adapters.models import Adapter, AdapterVersion, BaseModel, BaseModelWork, Sweep, TrainingRun
from corpora.models import Dataset, DatasetVersion, Upload
from evaluations.models import (
    Alignment,
    Decision,
    EvaluationRun,
    GatePolicy,
    Judge,
    Judging,
    Licence,
    ReviewRound,
    RoundItem,
    Rubric,
)
from jobs.models import Job
from metering.models import Alert, Budget, Discount, Price
from serving.models import Deployment, Endpoint, Freeze, Promotion, Route, Router, SiteFreeze, Trial, TrialCopy
from tenants.models import ApiKey, Invitation, Membership, Tenant, Webhook, WebhookDelivery
from tests.portal.world import CANARY

World = Mapping[type[Model], Model]


@dataclass(frozen=True, kw_only=True)
class Address:
    """What the owner of `row` is answered at an address.

    `own` are statuses by method, of all methods that the address allows. `row` is the model whose id the address
    holds, None if it holds none; `by_token` says that it holds a one-time token instead. `sent` goes with each but
    GET: a model stands for the id of its row, bytes for a file. `also` are parameters of the address beside the id.
    """

    own: dict[str, int]
    row: type[Model] | None = None
    by_token: bool = False
    sent: dict[str, Any] = field(default_factory=dict)
    also: dict[str, Any] = field(default_factory=dict)


def _get(row: type[Model] | None = None, status: int = 200) -> Address:
    return Address(own={"GET": status}, row=row)


def _post(row: type[Model] | None = None, status: int = 302, **sent: Any) -> Address:
    return Address(own={"POST": status}, row=row, sent=sent)


def _form(row: type[Model] | None = None, status: int = 302, **sent: Any) -> Address:
    return Address(own={"GET": 200, "POST": status}, row=row, sent=sent)


ROW = {"messages": [{"role": "user", "content": "Ask"}, {"role": "assistant", "content": "Answer"}]}
FILE = json.dumps(ROW).encode()
TRAINING: dict[str, Any] = {"adapter": "clauses", "dataset_version": DatasetVersion, "recipe": "style"}
JUDGE: dict[str, Any] = {
    "name": "Strict",
    "kind": "openai",
    "model": "grader",
    "address": "https://127.0.0.1:9/v1",
    "temperature": 0,
    "samples": 1,
}
THIS_MONTH = {"month": f"{dt.datetime.now(dt.UTC):%Y-%m}"}
RUBRIC = "name: Ours\ncriteria: [{name: Correctness, description: Right or wrong}]"

PUBLIC = {
    "sign-in": _form(status=200),
    "sign-out": _post(),
    "join": Address(own={"GET": 404, "POST": 404}, by_token=True),
    "password-forgotten": _form(email="nobody@example.com"),
    "password-set": Address(own={"GET": 200, "POST": 200}, by_token=True),
    "health": _get(),
    # Without a token in the settings.
    "metrics": _get(status=404),
    "signing-key": _get(),
    "openapi": _get(),
    "api-docs": _get(),
}
"""Those that ask for no credential."""

OPERATORS = {
    "base-model-detail": _get(BaseModel),
    "endpoint-detail": _get(Endpoint),
    "endpoint-capacity": _get(Endpoint),
    "site-freeze-detail": _get(SiteFreeze),
}
"""Rows of the operator, which every tenant may read."""

PAGES = {
    "overview": _get(),
    "switch-tenant": _post(tenant=Tenant),
    "keys": _form(name="A key"),
    "revoke-key": _post(ApiKey),
    "webhooks:list": _form(url="https://127.0.0.1:9/"),
    "webhooks:webhook": _form(Webhook, url="https://127.0.0.1:9/"),
    "webhooks:secret": _post(Webhook),
    "webhooks:pause": _post(Webhook),
    "webhooks:test": _post(Webhook),
    "webhooks:delete": _post(Webhook),
    "webhooks:again": _post(WebhookDelivery),
    "members": _form(email="new@example.com", role="member"),
    "member-role": _post(Membership, role="reviewer"),
    "member-remove": _post(Membership),
    "invitation-cancel": _post(Invitation),
    "password-change": _form(status=200),
    "jobs:list": _get(),
    "jobs:detail": _get(Job),
    "jobs:live": _get(Job),
    "jobs:stop": _post(Job, 409),
    "corpora:list": _get(),
    "corpora:upload": _form(file=FILE, dataset=Dataset),
    "corpora:upload-format": _form(Upload, 200),
    "corpora:upload-live": _get(Upload),
    "corpora:upload-cancel": _post(Upload),
    "corpora:detail": _get(Dataset),
    "corpora:edit": _form(Dataset, name="Clauses"),
    "corpora:delete": _post(Dataset, 409),
    "corpora:version": _get(DatasetVersion),
    "corpora:version-live": _get(DatasetVersion),
    "corpora:row": _get(DatasetVersion),
    "corpora:export": _get(DatasetVersion),
    "corpora:recheck": _post(DatasetVersion, decision="personal_data"),
    "corpora:evaluation-set": _post(DatasetVersion),
    "corpora:keep-personal-data": _post(DatasetVersion),
    "corpora:version-delete": _post(DatasetVersion, 409),
    "adapters:list": _get(),
    "adapters:base-models": _get(),
    # The base model of these tests came without one.
    "adapters:base-model-licence": _get(BaseModel, 404),
    "adapters:train": _form(**TRAINING),
    "adapters:estimate": _get(),
    "adapters:runs": _get(),
    "adapters:compare": _get(status=302),
    "adapters:run": _get(TrainingRun),
    "adapters:run-live": _get(TrainingRun),
    "adapters:run-log": _get(TrainingRun),
    "adapters:run-stop": _post(TrainingRun),
    "adapters:run-resume": _post(TrainingRun),
    "adapters:sweeps": _get(),
    "adapters:new-sweep": _form(**TRAINING, ranks="8, 16"),
    "adapters:sweep-estimate": _get(),
    "adapters:sweep": _get(Sweep),
    "adapters:sweep-live": _get(Sweep),
    "adapters:sweep-stop": _post(Sweep),
    "adapters:detail": _get(Adapter),
    "adapters:live": _get(Adapter),
    "adapters:version": _get(AdapterVersion),
    "adapters:card": _get(AdapterVersion),
    "adapters:package": _get(AdapterVersion),
    "evaluations:list": _get(),
    "evaluations:new": _form(None, 200, dataset_version=DatasetVersion, base_model=BaseModel),
    "evaluations:start": _form(AdapterVersion, 200),
    "evaluations:detail": _get(EvaluationRun),
    "evaluations:live": _get(EvaluationRun),
    "evaluations:judge-answers": _form(EvaluationRun, 200),
    "evaluations:judging-estimate": _get(EvaluationRun),
    "evaluations:figures": _get(EvaluationRun),
    "evaluations:row": Address(own={"GET": 200}, row=EvaluationRun, also={"position": 0}),
    "evaluations:nearest": Address(own={"GET": 200}, row=EvaluationRun, also={"position": 0}),
    "evaluations:export": _get(EvaluationRun),
    "evaluations:judges": _get(),
    "evaluations:new-judge": _form(**JUDGE),
    "evaluations:judge": _form(Judge, **JUDGE),
    "evaluations:judge-try": _post(Judge, 200),
    "evaluations:judge-test": _post(Judge),
    "evaluations:shared-judge": Address(own={"GET": 404}, by_token=True),
    "evaluations:shared-judge-try": Address(own={"POST": 404}, by_token=True),
    "evaluations:shared-judge-test": Address(own={"POST": 404}, by_token=True),
    "evaluations:agreement": _get(EvaluationRun),
    "evaluations:licence-anew": _post(Licence),
    "evaluations:judge-align": _form(Judge, 200),
    "evaluations:alignment-use": _post(Alignment),
    "evaluations:alignment-drop": _post(Alignment),
    "evaluations:judge-delete": _post(Judge),
    "evaluations:rubrics": _get(),
    "evaluations:new-rubric": _form(document=RUBRIC),
    "evaluations:rubric": _form(Rubric, document=RUBRIC),
    "evaluations:rubric-export": _get(Rubric),
    "evaluations:rubric-delete": _post(Rubric),
    "evaluations:decide": Address(own={"GET": 302, "POST": 200}, row=AdapterVersion),
    "evaluations:decision": _get(Decision),
    "evaluations:decision-round": _post(Decision),
    "evaluations:decision-approve": _post(Decision),
    "evaluations:decision-reject": _post(Decision, reason="Not yet."),
    "evaluations:decision-override": _post(Decision, reason="It is urgent."),
    "evaluations:decision-pack": _get(Decision),
    "evaluations:policy": _form(Adapter, document="conditions: [{kind: approvals}]"),
    "evaluations:policy-export": _get(Adapter),
    "evaluations:review-digest": _post(),
    "evaluations:start-review-round": _form(EvaluationRun, 200),
    "evaluations:review-round": _get(ReviewRound),
    "evaluations:review-round-close": _post(ReviewRound),
    "evaluations:review-round-change": _post(ReviewRound, 200),
    "evaluations:review-round-corrections": _post(ReviewRound),
    "evaluations:settle": _form(RoundItem, grade=4),
    "evaluations:reviews": _get(),
    "evaluations:review": _get(ReviewRound),
    "evaluations:grade": _post(RoundItem, grade="5"),
    "serving:endpoint": _get(),
    "serving:promote": _post(AdapterVersion),
    "serving:standing": _get(AdapterVersion),
    "serving:roll-back": _post(Route, 409),
    "serving:trial": _get(Trial),
    "serving:new-freeze": _form(ends_at="2099-01-01T12:00", reason="Holidays"),
    "serving:end-freeze": _post(Freeze),
    "serving:routers": _get(),
    "serving:new-router": _form(name="desk", floor=0.7),
    "serving:router": _form(Router, floor=0.7),
    "serving:delete-router": _post(Router),
    "serving:playground": _get(),
    "serving:ask": _post(status=422, alias=CANARY),
    "serving:ask-one": Address(own={"POST": 200}, sent={"alias": CANARY}, also={"key": "adapter"}),
    "metering:usage": _get(),
    "metering:adapters": _get(),
    "metering:adapter": _get(Adapter, status=302),
    "metering:requests": _get(),
    "metering:costs": _get(),
    "focus:charges": _get(),
    "focus:unknown": _get(),
    "focus:metadata": _get(),
    "metering:statements": _get(),
    "metering:statement": Address(own={"GET": 200}, also=THIS_MONTH),
    "metering:statement-csv": Address(own={"GET": 200}, also=THIS_MONTH),
    "metering:statement-pdf": Address(own={"GET": 200}, also=THIS_MONTH),
    "budgets:list": _get(),
    "budgets:new": _form(subject="all:", amount="100"),
    "budgets:change": _form(Budget, amount="100"),
    "budgets:delete": _post(Budget),
    "alerts:list": _get(),
    "alerts:acknowledge": _form(Alert),
    "alerts:snooze": _form(Alert, 200, until="2001-01-01T00:00"),
    "alerts:reopen": _post(Alert),
}

SERVER: dict[str, Any] = {
    "URL": "http://127.0.0.1:9",
    "MAX_RANK": 64,
    "ENGINE": "lorakit",
    "GPU_ADAPTERS": 16,
    "CPU_ADAPTERS": 0,
    "CONTEXT_TOKENS": 0,
    "WIDTH": 32,
    "GPUS": 0,
    "MEMORY_GIB": 0,
    "PRICE_USD_PER_HOUR": 0,
}

STAFF = {
    "spend:index": _get(),
    "spend:use": _get(Endpoint),
    "reconciliation:list": _get(),
    "reconciliation:import": _post(status=200, bill=b"Not,a,bill"),
    "focus:all-charges": _get(),
    "focus:all-unknown": _get(),
    "focus:all-metadata": _get(),
    "prices:list": _get(),
    "prices:item": _get(Price),
    "prices:set": _form(
        service="hosting", item="ml.g5.2xlarge", region="eu-west-1", amount="1.5", currency="USD", valid_from="",
        valid_until="", note="",
    ),
    "prices:discount": _form(
        service="hosting", item="", percent="10", reason="Savings Plan", valid_from="", valid_until=""
    ),
    "prices:rate": _form(currency="EUR", rate="1.08", into="USD", valid_from="", note=""),
    "prices:import": _post(),
    "prices:end": _post(Price),
    "prices:end-discount": _post(Discount),
    "statements:list": _get(),
    "statements:close": _post(month=THIS_MONTH["month"]),
    "statements:adjust": _form(Tenant, amount="-5", reason="Outage"),
    "base-models:list": _get(),
    "base-models:new": _form(folder="hf://maker/small", name="small"),
    "base-models:detail": _get(BaseModel),
    "base-models:licence": _get(BaseModel, 404),
    "base-models:change": _form(BaseModel, title="Base"),
    "base-models:check": _post(BaseModel),
    "base-models:remove": _post(BaseModel),
    "base-models:stop": _post(BaseModelWork),
    "base-models:again": _post(BaseModelWork),
    "base-models:discard": _post(BaseModelWork),
    "operator:endpoints": _get(),
    "operator:new-endpoint": _form(name="eu-2", base_model="base", step="confirm", **SERVER),
    "operator:endpoint": _get(Endpoint),
    "operator:adapters": _get(Endpoint),
    "operator:health": _get(Endpoint),
    "operator:capacity": _get(Endpoint),
    "operator:recommend": _post(Endpoint, goal="cost"),
    "operator:pin-adapter": _post(Endpoint, deployment=Deployment, pinned="on"),
    "operator:change-endpoint": _form(Endpoint, step="confirm", **SERVER),
    "operator:create-endpoint-again": _post(Endpoint),
    "operator:make-endpoint-default": _post(Endpoint),
    "operator:delete-endpoint": _post(Endpoint, name="shared"),
    "operator:move-tenant": _post(Endpoint, tenant=Tenant, to=Endpoint),
}  # fmt: skip
"""The operator's own pages, which nobody else finds."""

REST = {
    "api-root": _get(),
    "dataset-list": _form(status=201, file=FILE, name="Clauses"),
    "dataset-detail": Address(own={"GET": 200, "PATCH": 200, "DELETE": 409}, row=Dataset, sent={"name": "Clauses"}),
    "dataset-versions": _post(Dataset, 201, file=FILE),
    "dataset-version-list": _get(),
    "dataset-version-detail": Address(own={"GET": 200, "DELETE": 409}, row=DatasetVersion),
    "dataset-version-diff": _get(DatasetVersion),
    "dataset-version-export": _get(DatasetVersion),
    "dataset-version-findings": _get(DatasetVersion),
    "dataset-version-rows": _get(DatasetVersion),
    "dataset-version-uses": _get(DatasetVersion),
    "dataset-version-keep-personal-data": _post(DatasetVersion, 200),
    "dataset-version-evaluation-set": Address(own={"PUT": 409, "DELETE": 200}, row=DatasetVersion),
    "dataset-version-recheck": _post(DatasetVersion, 201, options={"personal_data": "mask"}),
    "upload-list": _form(status=201, file_name="rows.jsonl", bytes=9, dataset=Dataset),
    "upload-detail": Address(own={"GET": 200, "PATCH": 412, "DELETE": 204}, row=Upload),
    "upload-complete": _post(Upload, 409),
    "upload-confirm": _post(Upload, 200),
    "upload-inspect": _post(Upload, 200),
    "upload-parts": _post(Upload, 409),
    "base-model-list": _get(),
    "adapter-list": _get(),
    "adapter-detail": _get(Adapter),
    "adapter-version-list": _get(),
    "adapter-version-detail": _get(AdapterVersion),
    "adapter-version-card": _get(AdapterVersion),
    "adapter-version-package": _get(AdapterVersion),
    "training-run-list": _form(status=201, **TRAINING),
    "training-run-detail": _get(TrainingRun),
    "training-run-estimate": _post(status=200, **TRAINING),
    "training-run-compare": _post(status=400),
    "training-run-stop": _post(TrainingRun, 409),
    "training-run-resume": _post(TrainingRun, 409),
    "sweep-list": _form(status=201, **TRAINING, grid={"rank": [8, 16]}),
    "sweep-detail": _get(Sweep),
    "sweep-stop": _post(Sweep, 200),
    "job-list": _get(),
    "job-detail": _get(Job),
    "job-events": _get(Job),
    "job-stop": _post(Job, 409),
    "evaluation-list": _form(status=409, version=AdapterVersion),
    "evaluation-detail": _get(EvaluationRun),
    "evaluation-items": _get(EvaluationRun),
    "evaluation-export": _get(EvaluationRun),
    "agreement-detail": _get(EvaluationRun),
    "licence-list": _get(),
    "licence-detail": _get(Licence),
    "alignment-list": _form(status=409, judge=Judge),
    "alignment-detail": _get(Alignment),
    "alignment-estimate": _post(None, 409, judge=Judge),
    "alignment-use": _post(Alignment, 409),
    "alignment-drop": _post(Alignment, 200),
    "judging-list": _form(status=201, evaluation=EvaluationRun, judges=[Judge]),
    "judging-detail": _get(Judging),
    "judging-estimate": _post(None, 200, evaluation=EvaluationRun, judges=[Judge]),
    "judge-list": _form(status=201, **JUDGE),
    "judge-detail": Address(own={"GET": 200, "PATCH": 200, "DELETE": 204}, row=Judge, sent={"name": "Strict"}),
    "judge-try": _post(Judge, 200),
    "judge-qualifications": _form(Judge, 201),
    "rubric-list": _form(status=201, yaml=RUBRIC),
    "rubric-detail": Address(own={"GET": 200, "PUT": 200, "DELETE": 204}, row=Rubric, sent={"yaml": RUBRIC}),
    "decision-list": _form(status=409, version=AdapterVersion),
    "decision-detail": _get(Decision),
    "decision-round": _post(Decision, 400),
    "decision-approve": Address(own={"POST": 200, "DELETE": 200}, row=Decision),
    "decision-reject": _post(Decision, 200, reason="Not yet."),
    "decision-override": _post(Decision, 200, reason="It is urgent."),
    "decision-pack": _get(Decision),
    "gate-policy-list": _form(status=201, adapter=Adapter, document={"conditions": [{"kind": "approvals"}]}),
    "gate-policy-detail": _get(GatePolicy),
    "rubric-preview": _post(Rubric, 200, dataset_version=DatasetVersion),
    "review-list": _get(),
    "review-round-list": _form(status=201, evaluation=EvaluationRun),
    "review-round-detail": Address(own={"GET": 200, "PATCH": 200}, row=ReviewRound, sent={"due_on": "2030-01-01"}),
    "review-round-next": _get(ReviewRound),
    "review-item-detail": _get(RoundItem),
    "review-item-review": Address(own={"PUT": 200, "DELETE": 204}, row=RoundItem, sent={"grade": 4}),
    # It is graded.
    "review-item-skip": _post(RoundItem, 409, reason="Too hard."),
    "review-item-adjudication": Address(own={"PUT": 200}, row=RoundItem, sent={"grade": 4}),
    "endpoint-list": _get(),
    "deployment-list": _get(),
    "deployment-detail": _get(Deployment),
    "freeze-list": _form(status=201, adapter=Adapter, ends_at="2099-01-01T12:00:00Z", reason="Holidays"),
    "freeze-detail": Address(own={"GET": 200, "DELETE": 204}, row=Freeze),
    "site-freeze-list": _get(),
    "route-list": _get(),
    "route-detail": _get(Route),
    "route-roll-back": _post(Route, 409),
    "router-list": _form(status=201, name="desk"),
    "router-detail": Address(own={"GET": 200, "PUT": 200, "DELETE": 204}, row=Router),
    "router-try": _post(Router, 200, prompts=["Hello"]),
    "trial-list": _form(status=409, version=AdapterVersion, plan={"percent": 10, "minutes": 60}),
    "trial-detail": _get(Trial),
    "trial-copy-list": _get(),
    "trial-copy-detail": _get(TrialCopy),
    "promotion-list": _form(status=201, version=AdapterVersion),
    "promotion-detail": _get(Promotion),
    "webhook-list": _form(status=201, url="https://127.0.0.1:9/"),
    "webhook-detail": Address(
        own={"GET": 200, "PUT": 200, "DELETE": 204}, row=Webhook, sent={"url": "https://127.0.0.1:9/"}
    ),
    "webhook-secret": _post(Webhook, 200),
    "webhook-pause": _post(Webhook, 200),
    "webhook-resume": _post(Webhook, 200),
    "webhook-test": _post(Webhook, 202),
    "webhook-delivery-list": _get(),
    "webhook-delivery-detail": _get(WebhookDelivery),
    "webhook-delivery-send": _post(WebhookDelivery, 202),
    # Without a start.
    "openai-completions": _get(status=400),
    "openai-costs": _get(status=400),
    "adapter-costs-list": _get(),
    "statement-list": _get(),
    "statement-detail": Address(own={"GET": 200}, also=THIS_MONTH),
    "statement-csv": Address(own={"GET": 200}, also=THIS_MONTH),
    "statement-pdf": Address(own={"GET": 200}, also=THIS_MONTH),
    "usage-list": _get(),
    "usage-observed": _get(),
    "focus-list": _get(),
    "focus-unknown": _get(),
    "focus-metadata": _get(),
    "budget-list": _form(status=201, amount_usd="100"),
    "budget-detail": Address(own={"GET": 200, "PATCH": 200, "DELETE": 204}, row=Budget, sent={"amount_usd": "100"}),
    "alert-list": _get(),
    "alert-detail": _get(Alert),
    "alert-acknowledge": _post(Alert, 200, note="Seen."),
    "alert-snooze": _post(Alert, 400, until="2001-01-01T00:00:00Z"),
    "alert-reopen": _post(Alert, 200),
}

ADDRESSES = PUBLIC | OPERATORS | PAGES | STAFF | REST


@dataclass(frozen=True, kw_only=True, order=True)
class Pattern:
    """An address as the site has it: its full name and its parameters."""

    name: str
    parameters: tuple[str, ...]


def patterns_of_the_site(patterns: list[Any] | None = None, namespace: str = "") -> Iterator[Pattern]:
    """Every address of the site."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from patterns_of_the_site(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            assert pattern.name, f"{pattern.pattern} has no name: give it one in its urls.py"
            yield Pattern(name=f"{namespace}{pattern.name}", parameters=tuple(pattern.pattern.regex.groupindex))


PATTERNS = sorted(patterns_of_the_site())
