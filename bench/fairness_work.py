"""The work of bench/fairness.py: the same wait as a job of the portal and as a plain Celery task."""

import time

from django_redis import get_redis_connection  # type: ignore[import-untyped]

from jobs.kinds import Kind, register
from jobs.messages.hints import look_at_queue
from jobs.models import Job
from jobs.outcomes import Outcome, Stopped, Succeeded
from jobs.services import start_job
from jobs.states import ACTIVE, State
from portal.celery import app
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

DONE = "bench:plain-done"


class WaitKind(Kind):
    """Waits `seconds`, in one of the slots of the default backend."""

    name = "bench_wait"

    def step(self, job: Job) -> Outcome:
        began = time.time()
        time.sleep(job.spec["seconds"])
        return Succeeded(result={"began": began})

    def cancel(self, job: Job) -> Outcome:
        return Stopped()

    def backend(self, spec: dict[str, float]) -> str:
        return "default"


register(WaitKind())


@app.task(name="bench.wait")
def wait(seconds: float) -> None:
    """The same wait as a plain task; records when it was done."""
    time.sleep(seconds)
    get_redis_connection().rpush(DONE, time.time())


def make_tenant(slug: str, running: int) -> Tenant:
    """Create a tenant that may run `running` jobs at a time."""
    with system_scope():
        return Tenant.objects.create(slug=slug, name=slug, max_running_jobs=running)


def queue_jobs(tenant: Tenant, count: int, seconds: float) -> None:
    """Queue many jobs, one by one as a customer would."""
    with tenant_scope(tenant.id):
        for _ in range(count):
            start_job(tenant=tenant, kind=WaitKind.name, title="wait", spec={"seconds": seconds})


def waiting_seconds(tenant: Tenant, seconds: float) -> float:
    """Queue one job and return the seconds until its work begins."""
    queued = time.time()
    with tenant_scope(tenant.id):
        job = start_job(tenant=tenant, kind=WaitKind.name, title="wait", spec={"seconds": seconds})
        while not (done := Job.objects.filter(id=job.id, state=State.SUCCEEDED).first()):
            time.sleep(0.05)
    return float(done.result["began"]) - queued


def portal_rate(tenant: Tenant, count: int, running: int) -> float:
    """Jobs per second of a tenant with a long queue: let `count` more end, then hold back the rest."""
    started = time.time()
    _allow(tenant, running)
    look_at_queue()
    with tenant_scope(tenant.id):
        ended = Job.objects.filter(state=State.SUCCEEDED, finished_at__isnull=False)
        before = ended.count()
        while ended.count() < before + count:
            time.sleep(0.05)
        _allow(tenant, 0)
        last = ended.order_by("finished_at")[before + count - 1].finished_at
        while Job.objects.filter(state__in=ACTIVE).exists():
            time.sleep(0.05)
    assert last is not None
    return count / (last.timestamp() - started)


def plain_rate(count: int, seconds: float) -> float:
    """Tasks per second of plain Celery on the same worker."""
    redis = get_redis_connection()
    redis.delete(DONE)
    started = time.time()
    for _ in range(count):
        wait.delay(seconds)
    while redis.llen(DONE) < count:
        time.sleep(0.05)
    return count / (max(float(stamp) for stamp in redis.lrange(DONE, 0, -1)) - started)


def _allow(tenant: Tenant, running: int) -> None:
    with system_scope():
        Tenant.objects.filter(id=tenant.id).update(max_running_jobs=running)
