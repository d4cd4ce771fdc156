"""Of promotions that arrive at once, one is taken up; the others are told to wait."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from adapters.models import AdapterVersion
from rest.errors import Conflict
from serving.models import Deployment, Promotion, Route
from serving.promotions.services import promote_version
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_of_many_wins(
    memory: MemoryEndpoint,
    tenant: Tenant,
    make_version: Callable[..., AdapterVersion],
    run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])
    versions = [make_version(tenant, "legal", seed) for seed in (1, 2)]

    def promote(index: int) -> bool:
        try:
            with tenant_scope(tenant.id):
                promote_version(tenant=tenant, version=versions[index % 2], created_by=None)
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(promote, range(6))) == 1
    run_jobs()
    with tenant_scope(tenant.id):
        assert Promotion.objects.count() == 1
        assert Route.objects.get().active == Deployment.objects.get()
