"""Every task of the schedule, run as a worker runs it: for nobody."""

import pytest
from celery import Task, current_app
from django.conf import settings

from tenants.models import Tenant
from tenants.scope import NoActiveTenant, active_scope

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("entry", settings.CELERY_BEAT_SCHEDULE.values(), ids=settings.CELERY_BEAT_SCHEDULE.keys())
def test_it_needs_no_tenant(tenant: Tenant, entry: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    # What it would leave to other tasks stays undone, wherever the broker of an earlier test was.
    monkeypatch.setattr(Task, "apply_async", lambda *_, **__: None)
    with pytest.raises(NoActiveTenant):
        active_scope()
    current_app.loader.import_default_modules()
    current_app.tasks[str(entry["task"])].run()
