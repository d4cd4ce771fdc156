"""Every write to qualifications that is not a step of their job."""

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, F, IntegerField, OuterRef, Q, Subquery
from django.utils import timezone

from evaluations.judges.backends import judges as shared
from evaluations.judges.configured import fingerprint, shared_fingerprint
from evaluations.models import Judge, Qualification, QualificationState
from evaluations.qualification.kinds import QualificationKind
from jobs.services import start_job
from rest.errors import Conflict, NotFound
from tenants.audit.services import record_event
from tenants.models import Tenant, User
from tenants.scope import system_scope, tenant_scope

SETTLED = dt.timedelta(minutes=3)
"""How long after its last change a judge is tested, so that one in the making is not tested over and over."""

REPEATED = dt.timedelta(days=30)
"""A provider may change a model without a word."""

AT_ONCE = 20


def start_qualification(*, tenant: Tenant, judge: Judge, created_by: User | None = None) -> Qualification:
    """Start testing an organisation's own judge. Raises Conflict if it is being tested."""
    return _start(
        tenant,
        Qualification(
            tenant=tenant,
            judge=judge,
            judge_version=judge.version,
            fingerprint=fingerprint(judge),
            created_by=created_by,
        ),
        judge.name,
    )


def start_shared_qualification(*, tenant: Tenant, alias: str, created_by: User | None = None) -> Qualification:
    """Start testing a judge that the site offers. Raises NotFound, or Conflict if it is being tested."""
    if alias not in shared:
        raise NotFound("Judge not found.")
    print_ = shared_fingerprint(shared[alias])
    return _start(
        tenant,
        Qualification(tenant=tenant, alias=alias, fingerprint=print_, created_by=created_by),
        shared[alias].label,
    )


def start_due_qualifications() -> int:
    """Test judges that have a new version or were tested a month ago, unless told not to. Returns how many started.

    One at a time for each tenant, whose other jobs share a limit with them.
    """
    now = timezone.now()
    with system_scope():
        last = Qualification.objects.filter(tenant=OuterRef("tenant"), judge=OuterRef("id")).order_by("-created_at")
        due = list(
            Judge.objects.annotate(
                tested_version=Subquery(last.values("judge_version")[:1], output_field=IntegerField()),
                tested_at=Subquery(last.values("created_at")[:1], output_field=DateTimeField()),
            )
            .filter(is_tested_automatically=True, updated_at__lt=now - SETTLED)
            .filter(Q(tested_at=None) | ~Q(tested_version=F("version")) | Q(tested_at__lt=now - REPEATED))
            .exclude(tenant__in=Qualification.objects.filter(state=QualificationState.RUNNING).values("tenant"))
            .select_related("tenant")
            .order_by("tenant_id", "updated_at")
            .distinct("tenant_id")[:AT_ONCE]
        )
    started = 0
    for judge in due:
        with tenant_scope(judge.tenant_id):
            try:
                start_qualification(tenant=judge.tenant, judge=judge)
            except Conflict:
                continue
        started += 1
    return started


def _start(tenant: Tenant, found: Qualification, name: str) -> Qualification:
    try:
        with transaction.atomic():
            found.job = start_job(
                tenant=tenant,
                kind=QualificationKind.name,
                title=f"Test judge {name}",
                spec={"qualification": str(found.id)},
                created_by=found.created_by,
            )
            found.save(force_insert=True)
            record_event("judge.test_started", found, after={"judge": name, "version": found.judge_version})
    except IntegrityError:
        raise Conflict(
            f"“{name}” is already being tested. Wait for that test, or stop its job first.",
            code="qualification:already_running",
        ) from None
    return found
