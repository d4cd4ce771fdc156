"""Every write of licences that is not a step of a job."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from evaluations.agreement.labels import HAS_GRADES
from evaluations.judging.aligned import is_aligned
from evaluations.judging.jurors import grade_so_now, jury_fingerprint
from evaluations.licences.corrected import standing_of
from evaluations.licences.findings import Finding, assessed
from evaluations.licences.kinds import RejudgingKind
from evaluations.licences.known import known_about, replaced_by
from evaluations.licences.terms import TERMS
from evaluations.models import (
    FrozenRow,
    Judge,
    Judging,
    Licence,
    LicenceChange,
    LicenceState,
    Rejudging,
)
from jobs.services import start_job
from tenants.audit.services import record_event
from tenants.models import Tenant, User
from tenants.scope import system_scope, tenant_scope

NEW = "Not assessed yet."


def assess_licence(*, licence: Licence) -> Licence:
    """Work the licence out anew from the database. Without news it changes nothing but the time."""
    known = known_about(licence)
    finding = assessed(known, seed=licence.fingerprint)
    with transaction.atomic():
        locked = Licence.objects.select_for_update().get(id=licence.id)
        if locked.counts_from != licence.counts_from:
            # It was begun anew in the meantime.
            return locked
        before = locked.state
        _keep(locked, finding, len(known.labels))
        locked.save()
        is_first = not locked.changes.exists()
        if before != locked.state or is_first:
            _record(locked, before="" if is_first else before)
        if locked.state == LicenceState.LICENSED and not locked.frozen_rows.exists():
            _freeze(locked, [(label.answer, label.score) for label in known.labels[: TERMS.labels]])
    return locked


def assess_judging(*, judging: Judging) -> Licence | None:
    """The licence of a judging's judge or jury, made if there is none, and assessed. None before it has grades."""
    if judging.state not in HAS_GRADES or not jury_fingerprint(judging.judges):
        return None
    return assess_licence(licence=_licence_for(judging))


def assess_licences(*, tenant_id: UUID) -> int:
    """All of an organisation's judges, with every rubric by which they have judged. Returns how many."""
    with tenant_scope(tenant_id):
        seen: dict[tuple[str, UUID | None], Judging] = {}
        for judging in Judging.objects.filter(state__in=HAS_GRADES).defer("summary", "progress"):
            seen.setdefault((jury_fingerprint(judging.judges), judging.rubric_version_id), judging)
        found = [assess_judging(judging=judging) for judging in seen.values()]
        for judging in seen.values():
            # Pages show the means that are known.
            standing_of(judging)
    return sum(one is not None for one in found)


def assess_all_licences() -> int:
    """Of every organisation. Returns how many licences."""
    with system_scope():
        tenants = list(
            Judging.objects.filter(state__in=HAS_GRADES).order_by().values_list("tenant", flat=True).distinct()
        )
    return sum(assess_licences(tenant_id=tenant) for tenant in tenants)


def begin_licence_anew(*, licence: Licence, by: User | None = None) -> Licence:
    """After an alarm is handled: earlier labels and alarms no longer count, and the judge is provisional."""
    with transaction.atomic():
        locked = Licence.objects.select_for_update().get(id=licence.id)
        before, locked.counts_from = locked.state, timezone.now()
        locked.state, locked.labels = LicenceState.PROVISIONAL, 0
        locked.reason = f"Begun anew on {locked.counts_from:%d %b %Y}. {TERMS.labels} new expert grades are needed."
        locked.figures, locked.map, locked.residuals, locked.alarm_at = {}, {}, [], None
        locked.save()
        locked.frozen_rows.all().delete()
        _record(locked, before=before, by=by)
    return locked


def start_rejudging(*, licence: Licence, day: dt.date | None = None) -> Rejudging | None:
    """Have a licensed judge grade its frozen answers again, once a day. None if it did so on that day already."""
    rejudging = Rejudging(tenant_id=licence.tenant_id, licence=licence, day=day or timezone.localdate())
    try:
        with transaction.atomic():
            rejudging.job = start_job(
                tenant=licence.tenant,
                kind=RejudgingKind.name,
                title=f"Judge frozen answers again: {licence}",
                spec={"rejudging": str(rejudging.id), "licence": str(licence.id)},
            )
            rejudging.save(force_insert=True)
    except IntegrityError:
        if not Rejudging.objects.filter(licence=licence, day=rejudging.day).exists():
            raise
        return None
    return rejudging


def start_nightly_rejudgings() -> int:
    """Of every licensed judge. Returns how many were started."""
    with system_scope():
        due = list(Licence.objects.filter(state=LicenceState.LICENSED, frozen_rows__isnull=False).distinct())
        tenants = Tenant.objects.in_bulk({licence.tenant_id for licence in due})
    started = 0
    for licence in due:
        licence.tenant = tenants[licence.tenant_id]
        with tenant_scope(licence.tenant_id):
            if _may_test_itself(licence):
                started += start_rejudging(licence=licence) is not None
    return started


def _may_test_itself(licence: Licence) -> bool:
    """Unless an organisation does not want its judges to be asked, and pay for it, on their own.

    Nor once a judge grades otherwise, be it changed, aligned with experts or no longer so.
    """
    if not grade_so_now(licence.judges, licence.rubric_version_id):
        return False
    judges = Judge.objects.filter(id__in=[one["id"] for one in licence.judges if "id" in one])
    return all(judge.is_tested_automatically for judge in judges)


def _licence_for(judging: Judging) -> Licence:
    key = {"fingerprint": jury_fingerprint(judging.judges), "rubric_version_id": judging.rubric_version_id}
    first = judging.judges[0] if len(judging.judges) == 1 else {}
    judge = Judge.objects.filter(id=first["id"]).first() if "id" in first else None
    found, is_new = Licence.objects.get_or_create(
        **key,
        defaults={
            "judges": judging.judges,
            "judge": judge,
            "alias": first.get("alias", ""),
            "reason": NEW,
            "assessed_at": timezone.now(),
        },
    )
    if is_new and (is_aligned(judging.judges) or replaced_by(found)[0] is not None):
        # Whoever changed or aligned the judge may have had the labels before them: it is tried on new ones.
        found.counts_from = found.created_at
        found.save(update_fields=["counts_from"])
    return found


def _keep(licence: Licence, finding: Finding, labels: int) -> None:
    calibration = finding.calibration
    licence.state, licence.reason, licence.labels = finding.state, finding.reason, labels
    licence.figures = finding.figures
    licence.map = _plain_map(asdict(calibration.map)) if calibration else {}
    licence.residuals = list(calibration.baseline) if calibration else []
    licence.alarm_at = calibration.drift.alarm_at if calibration and calibration.drift else None
    licence.assessed_at = timezone.now()


def _plain_map(found: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    return {name: list(values) for name, values in found.items()}


def _record(licence: Licence, *, before: str, by: User | None = None) -> None:
    LicenceChange.objects.create(
        tenant_id=licence.tenant_id,
        licence=licence,
        before=before,
        state=licence.state,
        reason=licence.reason,
        labels=licence.labels,
        by=by,
    )
    figures: dict[str, Any] = {"state": licence.state, "reason": licence.reason, "labels": licence.labels}
    record_event(f"licence.{licence.state}", licence, before={"state": before}, after=figures)


def _freeze(licence: Licence, rows: Sequence[tuple[UUID | None, float]]) -> None:
    FrozenRow.objects.bulk_create(
        FrozenRow(tenant_id=licence.tenant_id, licence=licence, answer_id=answer, score=score)
        for answer, score in rows[: TERMS.frozen]
        if answer is not None
    )
