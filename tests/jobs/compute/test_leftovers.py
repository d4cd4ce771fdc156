"""Run directories hold copies of customers' rows, so they do not outlive their job for long."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from jobs.backends.base import ComputeError
from jobs.backends.local import LocalCompute
from jobs.compute.kinds import external_name
from jobs.compute.leftovers import KEPT, discard_leftovers
from jobs.models import Job
from jobs.services import stop_job
from tenants.scope import tenant_scope

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_an_ended_run_is_kept_for_a_while_and_then_cleared_away(
    start_toy: Callable[..., Job], run_jobs: Callable[..., None]
) -> None:
    job = start_toy()
    run_jobs()
    with tenant_scope(job.tenant_id):
        job = Job.objects.get(id=job.id)
        root = Path(settings.COMPUTE["default"]["OPTIONS"]["ROOT"])
        folders = [root / job.external_name, root / "checkpoints" / str(job.id)]
        assert discard_leftovers() == 0
        assert all(folder.exists() for folder in folders)
        ended = timezone.now() - KEPT - dt.timedelta(seconds=1)
        Job.objects.filter(id=job.id).update(finished_at=ended)
    assert discard_leftovers() == 1
    assert not any(folder.exists() for folder in folders)
    assert discard_leftovers() == 0


def test_a_checkpoint_goes_with_the_job_that_never_took_it_up(
    start_toy: Callable[..., Job], run_jobs: Callable[..., None]
) -> None:
    job = start_toy()
    run_jobs()
    checkpoints = Path(settings.COMPUTE["default"]["OPTIONS"]["ROOT"]) / "checkpoints" / str(job.id)
    with tenant_scope(job.tenant_id):
        heir = start_toy(checkpoint_of=str(job.id))
        stop_job(job_id=heir.id)
        Job.objects.filter(id=job.id).update(finished_at=timezone.now() - 2 * KEPT)
    assert discard_leftovers() == 1
    assert checkpoints.exists(), "the heir might have gone on from it"
    with tenant_scope(job.tenant_id):
        Job.objects.filter(id=heir.id).update(finished_at=timezone.now() - 2 * KEPT)
    assert discard_leftovers() == 1
    assert not checkpoints.exists()
    assert discard_leftovers() == 0


@pytest.fixture
def kept_folder(start_toy: Callable[..., Job], run_jobs: Callable[..., None]) -> Callable[..., Path]:
    """The folder of a job that ended long enough ago."""

    def run() -> Path:
        job = start_toy()
        run_jobs()
        with tenant_scope(job.tenant_id):
            Job.objects.filter(id=job.id).update(finished_at=timezone.now() - KEPT - dt.timedelta(seconds=1))
        return Path(settings.COMPUTE["default"]["OPTIONS"]["ROOT"]) / external_name(job, 1)

    return run


def test_runs_that_cannot_be_cleared_away_do_not_keep_others(
    kept_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = kept_folder(), kept_folder()
    discard = LocalCompute.discard

    def refuse_the_newer(self: LocalCompute, name: str, **more: Any) -> None:
        if name == newer.name:
            raise ComputeError("platform:name_taken", "It is not this site's.", temporary=False)
        discard(self, name, **more)

    monkeypatch.setattr(LocalCompute, "discard", refuse_the_newer)
    assert discard_leftovers() == 1
    assert (older.exists(), newer.exists()) == (False, True)
    third = kept_folder()
    # With room for one at a time, each of both comes first sooner or later.
    assert any(discard_leftovers(limit=1) for _ in range(200))
    assert not third.exists()
    monkeypatch.undo()
    assert discard_leftovers() == 1
    assert not newer.exists()


def test_clearing_away_that_broke_off_is_finished_later(
    kept_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kept_folder()

    def break_off(self: LocalCompute, name: str, **more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(LocalCompute, "discard", break_off)
        with pytest.raises(KeyboardInterrupt):
            discard_leftovers()
    assert folder.exists()
    assert discard_leftovers() == 1
    assert not folder.exists()
