"""Every call of a judge is counted in its hour: by purpose, by who is paid, with what is not known as such."""

import datetime as dt
import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from evaluations.judges.backends.base import Judge as Backend
from evaluations.judges.backends.errors import Malformed
from evaluations.judges.backends.openai import GatewayJudge, OpenAIJudge
from evaluations.judges.backends.reference import ReferenceJudge
from evaluations.judges.backends.usage import NOTHING, Usage
from evaluations.judges.services import delete_judge, record_calls
from evaluations.judging.asking import ask
from evaluations.judging.plan import Plan
from evaluations.models import CallPurpose, Judge, JudgeUsage, PaidTo, Verdict
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.evaluations.judging.case import one_criterion, rows, scripted_juror

pytestmark = pytest.mark.django_db

PRICED = Usage(calls=2, tokens_in=100, tokens_out=20, cost_usd=Decimal("0.0012"))
OPTIONS = {"MODEL": "large", "URL": "https://127.0.0.1:9/v1"}
COUNTED = ("calls", "calls_without_price", "calls_without_tokens", "tokens_in", "tokens_out", "usd")


@pytest.fixture(autouse=True)
def nothing_is_claimed() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def within_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr("evaluations.judges.services.timezone", SimpleNamespace(now=lambda: now))


def record(usage: Usage, *, backend: Backend | None = None, is_shared: bool = False) -> None:
    record_calls(
        usage=usage, purpose=CallPurpose.JUDGING, backend=backend or OpenAIJudge("own", OPTIONS), key="k", name="Large",
        is_shared=is_shared,
    )  # fmt: skip


def test_calls_of_an_hour_add_up(in_tenant: Tenant) -> None:
    record(PRICED)
    record(replace(PRICED, cost_usd=None))
    record(Usage(calls=1, tokens_in=None, tokens_out=None, cost_usd=None))
    record(PRICED)
    rows = JudgeUsage.objects.order_by("price_source").values_list(*COUNTED, "price_source")
    assert list(rows) == [
        (3, 2, 1, 100, 20, Decimal(0), ""),
        (4, 0, 0, 200, 40, Decimal("0.0024"), "Set on the judge"),
    ]


@pytest.mark.parametrize(
    ("backend", "is_shared", "paid_to", "source"),
    [
        (OpenAIJudge, False, PaidTo.PROVIDER, "Set on the judge"),
        (GatewayJudge, False, PaidTo.SERVING, ""),
        (OpenAIJudge, True, PaidTo.SITE, "Set by your site’s operator"),
    ],
)
def test_it_is_known_who_is_paid_and_whose_the_price_is(
    in_tenant: Tenant, backend: Callable[..., Backend], is_shared: bool, paid_to: PaidTo, source: str
) -> None:
    record(PRICED, backend=backend("one", OPTIONS), is_shared=is_shared)
    row = JudgeUsage.objects.get()
    assert (row.paid_to, row.price_source) == (paid_to, source)


def test_what_asks_no_model_is_not_counted(in_tenant: Tenant) -> None:
    record(PRICED, backend=ReferenceJudge("default", {}))
    record(NOTHING)
    assert not JudgeUsage.objects.exists()


def test_calls_that_led_to_no_verdict_are_counted(in_tenant: Tenant) -> None:
    juror, judge = scripted_juror(lambda prompt: Malformed("Nothing to read."))
    ask(juror, Plan(rubric=one_criterion()), rows(2))
    assert not Verdict.objects.exists()
    assert JudgeUsage.objects.get().calls == len(judge.asked) == 16


def test_a_judge_that_is_gone_has_been_paid_all_the_same(in_tenant: Tenant) -> None:
    judge = Judge.objects.create(tenant=in_tenant, name="Large", kind="openai", model="large")
    record_calls(
        usage=PRICED, purpose=CallPurpose.TESTING, backend=OpenAIJudge("own", OPTIONS), key=str(judge.id), name="Large"
    )
    delete_judge(judge=judge)
    row = JudgeUsage.objects.get()
    assert (row.judge_name, row.paid_to, row.purpose, row.usd) == ("Large", "provider", "testing", PRICED.cost_usd)


def test_verdicts_given_before_there_was_a_count_are_counted(in_tenant: Tenant) -> None:
    judge = Judge.objects.create(tenant=in_tenant, name="Large", kind="openai", model="large")
    plain = {"tenant": in_tenant, "prompt_sha256": "", "judge_name": "Large", "score": 1.0, "calls": 3}
    costs = ((100, Decimal("0.5")), (10, None), (None, None))
    for number, (tokens, usd) in enumerate(costs):
        Verdict.objects.create(**plain, key=f"own-{number}", judge=judge, tokens_in=tokens, tokens_out=tokens, usd=usd)
    Verdict.objects.create(**{**plain, "judge_name": "Site"}, key="site", tokens_in=1, tokens_out=2, usd=Decimal(1))
    Verdict.objects.create(**{**plain, "judge_name": "Rule", "calls": 0}, key="rule", usd=Decimal(0))
    yesterday = timezone.now() - dt.timedelta(days=1)
    Verdict.objects.filter(key="own-1").update(created_at=yesterday)
    filling = importlib.import_module("evaluations.migrations.0014_judge_usage")
    with connection.schema_editor() as editor:
        filling.fill(apps, editor)
    found = JudgeUsage.objects.order_by("judge_name", "hour").values_list("judge_name", "paid_to", *COUNTED)
    assert list(found) == [
        ("Large", "provider", 3, 3, 0, 10, 10, 0),
        ("Large", "provider", 6, 0, 3, 100, 100, Decimal("0.5")),
        ("Site", "site", 3, 0, 0, 1, 2, 1),
    ]
    assert JudgeUsage.objects.order_by("hour")[0].hour == yesterday.replace(minute=0, second=0, microsecond=0)


@pytest.mark.django_db(transaction=True)
def test_no_call_is_lost_between_workers(tenant: Tenant) -> None:
    def work() -> None:
        try:
            with tenant_scope(tenant.id):
                for _ in range(10):
                    record(PRICED)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        for done in [workers.submit(work) for _ in range(4)]:
            done.result()
    with tenant_scope(tenant.id):
        found = JudgeUsage.objects.aggregate(calls=Sum("calls"), usd=Sum("usd"))
    assert found == {"calls": 80, "usd": 40 * (PRICED.cost_usd or 0)}
