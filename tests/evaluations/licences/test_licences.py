"""Licences as rows: assessed from the database, their history, and what is suspended."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from evaluations.judging import news
from evaluations.licences.queries import licence_of, licences_with, map_of
from evaluations.licences.services import (
    assess_all_licences,
    assess_judging,
    assess_licences,
    begin_licence_anew,
    start_nightly_rejudgings,
)
from evaluations.models import ItemPart, Judging, LicenceState, Rejudging
from evaluations.rubrics.document import parsed
from evaluations.rubrics.services import create_rubric
from evaluations.tasks import assess_licences as task
from tenants.models import AuditEvent, Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.licences.cases import experts, graded, judged, qualified, scores

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TONE = parsed({"name": "Tone", "criteria": [{"name": "Tone", "description": "Is it kind?"}]})
MAP_AND_PROBES = 70


def licensed(judging: Judging, expert: User) -> None:
    graded(judging.run, experts(scores())[:MAP_AND_PROBES], reviewers=[expert])
    assess_judging(judging=judging)


def test_a_judging_has_no_licence_before_it_is_assessed(judging: Judging) -> None:
    assert licence_of(judging) is None
    found = assess_judging(judging=judging)
    assert found is not None
    assert found.state == LicenceState.PROVISIONAL
    assert "0 of the 30" in found.reason
    assert licence_of(judging) == found


def test_a_licence_and_its_history(judging: Judging, expert: User) -> None:
    assess_judging(judging=judging)
    licensed(judging, expert)
    found = licence_of(judging)
    assert found is not None
    assert (found.state, found.labels) == (LicenceState.LICENSED, MAP_AND_PROBES), found.reason
    assert [(one.before, one.state) for one in found.changes.all()] == [
        ("provisional", "licensed"),
        ("", "provisional"),
    ]
    assert AuditEvent.objects.filter(action="licence.licensed").get().after["labels"] == MAP_AND_PROBES
    assert found.frozen_rows.count() == 20
    mapped = map_of(found)
    assert mapped is not None
    assert mapped(2) < mapped(4)
    assert list(licences_with(alias="default")) == [found]


def test_assessing_twice_changes_nothing(judging: Judging, expert: User) -> None:
    licensed(judging, expert)
    before = licence_of(judging)
    # The other one is that of the site's own judge.
    assert assess_licences(tenant_id=judging.tenant_id) == 2
    assert assess_all_licences() == 2
    task(str(judging.tenant_id))
    after = licence_of(judging)
    assert before is not None
    assert after is not None
    same = ("id", "state", "reason", "figures", "map", "residuals", "alarm_at", "labels")
    assert [getattr(before, name) for name in same] == [getattr(after, name) for name in same]
    assert after.changes.count() == 1
    assert after.frozen_rows.count() == 20


def test_only_the_uniform_part_counts_up_to_the_first_open_item(judging: Judging, expert: User) -> None:
    grades: list[float | None] = list(experts(scores())[:40])
    graded(judging.run, grades, reviewers=[expert], part=ItemPart.TARGETED)
    grades[25] = None
    graded(judging.run, grades, reviewers=[expert])
    found = assess_judging(judging=judging)
    assert found is not None
    assert found.labels == 25


def test_labels_by_another_rubric_do_not_count(judging: Judging, expert: User) -> None:
    rubric = create_rubric(tenant=judging.tenant, document=TONE)
    graded(judging.run, experts(scores())[:70], reviewers=[expert], rubric_version=rubric.versions.get())
    found = assess_judging(judging=judging)
    assert found is not None
    assert (found.state, found.labels) == (LicenceState.PROVISIONAL, 0)
    second = judged(judging.run, scores(), rubric_version=rubric.versions.get())
    by_rubric = assess_judging(judging=second)
    assert by_rubric is not None
    assert (by_rubric.state, by_rubric.labels) == (LicenceState.LICENSED, 70)


def test_a_judge_that_computes_something_else_is_provisional_and_says_why(judging: Judging, expert: User) -> None:
    licensed(judging, expert)
    qualified(judging.run, fingerprint="cd" * 32)
    found = assess_judging(judging=judged(judging.run, scores(), fingerprint="cd" * 32))
    assert found is not None
    assert found.state == LicenceState.PROVISIONAL
    assert found.reason.startswith("The judge’s model, settings or prompt changed")
    before = licence_of(judging)
    assert before is not None
    assert before.state == LicenceState.LICENSED


def test_a_changed_rubric_is_provisional_and_says_why(judging: Judging, expert: User) -> None:
    rubric = create_rubric(tenant=judging.tenant, document=TONE)
    first = rubric.versions.get()
    assess_judging(judging=judged(judging.run, scores(), rubric_version=first))
    second = rubric.versions.create(
        tenant=judging.tenant, number=first.number + 1, document=first.document, sha256="12" * 32
    )
    found = assess_judging(judging=judged(judging.run, scores(), rubric_version=second))
    assert found is not None
    assert found.state == LicenceState.PROVISIONAL
    assert found.reason.startswith("The rubric changed")


@pytest.mark.parametrize("off", [1.0, -1.0])
def test_drift_suspends_and_a_person_begins_anew(judging: Judging, expert: User, off: float) -> None:
    licensed(judging, expert)
    later = experts(scores(), off=off)[MAP_AND_PROBES:]
    graded(judging.run, later, reviewers=[expert], start=MAP_AND_PROBES)
    found = assess_judging(judging=judging)
    assert found is not None
    assert found.state == LicenceState.SUSPENDED
    assert found.reason.startswith("It has drifted away from experts")
    anew = begin_licence_anew(licence=found, by=expert)
    assert (anew.state, anew.labels, anew.frozen_rows.count()) == (LicenceState.PROVISIONAL, 0, 0)
    again = assess_judging(judging=judging)
    assert again is not None
    assert (again.state, again.labels) == (LicenceState.PROVISIONAL, 0)
    assert again.changes.filter(by=expert).count() == 1


def test_a_night_that_finds_the_judge_changed_suspends_it(judging: Judging, expert: User) -> None:
    licensed(judging, expert)
    found = licence_of(judging)
    assert found is not None
    Rejudging.objects.create(
        tenant=judging.tenant, licence=found, day=timezone.localdate(), rows=20, shift=-0.6, low=-0.9, high=-0.3
    )
    after = assess_judging(judging=judging)
    assert after is not None
    assert after.state == LicenceState.SUSPENDED
    assert "The judge itself has changed: the same 20 answers got −0.60" in after.reason


def test_licensed_judges_are_tried_every_night_once(judging: Judging, expert: User) -> None:
    assert start_nightly_rejudgings() == 0
    licensed(judging, expert)
    assert start_nightly_rejudgings() == 1
    assert start_nightly_rejudgings() == 0


def test_news_has_the_organisations_licences_assessed(
    judging: Judging, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    sent: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr(
        "evaluations.licences.news.current_app.send_task", lambda name, arguments: sent.append((name, arguments))
    )
    with django_capture_on_commit_callbacks(execute=True):
        news.announce(judging.tenant_id)
    assert sent == [("evaluations.assess_licences", (str(judging.tenant_id),))]


def test_licences_are_the_tenants_own(judging: Judging, expert: User, other_tenant: Tenant) -> None:
    licensed(judging, expert)
    with tenant_scope(other_tenant.id):
        assert licence_of(judging) is None
        assert assess_licences(tenant_id=other_tenant.id) == 0
