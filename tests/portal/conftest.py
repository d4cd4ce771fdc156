"""One row of everything, for tests that look at all addresses."""

import pytest
from django.db.models import Model

from tenants.models import Tenant, User
from tests.portal.world import make_world


@pytest.fixture
def world(tenant: Tenant, alice: User) -> dict[type[Model], Model]:
    return make_world(tenant, alice)
