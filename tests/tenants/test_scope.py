"""The active tenant follows the code that runs, not the thread or connection that ran something else before."""

import random
import threading

import pytest

from jobs.models import Job
from tenants.models import Tenant
from tenants.scope import NoActiveTenant, active_tenant_id, system_scope, tenant_scope


@pytest.mark.django_db(transaction=True)
def test_two_tenants_interleaved_on_one_connection_never_mix(tenant: Tenant, other_tenant: Tenant) -> None:
    order = [tenant, other_tenant] * 500
    random.Random(7).shuffle(order)
    made = {tenant.id: 0, other_tenant.id: 0}
    for turn, owner in enumerate(order):
        with tenant_scope(owner.id):
            if turn % 5 == 0:
                Job.objects.create(tenant=owner, kind="test", title=str(owner.id))
                made[owner.id] += 1
            assert set(Job._base_manager.values_list("tenant_id", flat=True)) <= {owner.id}
            assert Job.objects.count() == made[owner.id]


def test_a_new_thread_has_no_tenant(tenant: Tenant) -> None:
    seen: list[type[BaseException]] = []

    def look() -> None:
        try:
            active_tenant_id()
        except NoActiveTenant as error:
            seen.append(type(error))

    with tenant_scope(tenant.id):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [NoActiveTenant]


def test_the_sites_own_scope_must_name_a_tenant_to_write(db: None) -> None:
    with system_scope(), pytest.raises(NoActiveTenant):
        Job.objects.create(kind="test", title="whose?")
