"""Frozen answers are judged again through the judging itself."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from evaluations.judging.jurors import shared_juror
from evaluations.licences.services import start_rejudging
from evaluations.models import EvaluationRun, FrozenRow, Licence, LicenceState, Rejudging
from tests.evaluations.licences.cases import own_answers

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_the_shift_is_stored_with_its_interval(run: EvaluationRun, run_jobs: Callable[..., None]) -> None:
    """The site's own grader gives right answers 5, which were 4 when they were frozen."""
    juror = shared_juror("default")
    licence = Licence.objects.create(
        tenant=run.tenant,
        fingerprint=juror.fingerprint,
        judges=[juror.to_dict()],
        alias="default",
        state=LicenceState.LICENSED,
        reason="Fits.",
        assessed_at=timezone.now(),
    )
    for answer in own_answers(run)[:20]:
        FrozenRow.objects.create(tenant=run.tenant, licence=licence, answer=answer, score=4.0)
    started = start_rejudging(licence=licence)
    assert started is not None
    run_jobs()
    found = Rejudging.objects.get(id=started.id)
    assert found.job is not None
    assert found.job.state == "succeeded"
    assert found.rows == 20
    assert found.shift == pytest.approx(1.0)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low <= 1.0 <= found.high
    assert start_rejudging(licence=licence) is None
