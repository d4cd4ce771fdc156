"""Creates the demo's tenants and people; safe to run repeatedly."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.db import transaction

from portal.demo.cast import DemoTenant
from tenants.keys.services import create_api_key, revoke_api_key
from tenants.models import ApiKey, Tenant, User
from tenants.people.services import add_member, create_tenant
from tenants.permissions import Role
from tenants.scope import system_scope, tenant_scope

KEY_NAME = "Demo"


@dataclass(frozen=True)
class Access:
    """The credentials the demo uses."""

    slug: str
    api_key: str

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


@transaction.atomic
def seed(tenants: Iterable[DemoTenant], *, password: str) -> list[Access]:
    """Create each demo tenant with a new API key, and its admin and expert with `password`."""
    return [_seed_tenant(demo, password) for demo in tenants]


def _seed_tenant(demo: DemoTenant, password: str) -> Access:
    admin = _person(demo.admin, f"{demo.name} admin", password)
    expert = _person(demo.expert, f"{demo.name} expert", password)
    with system_scope():
        tenant = Tenant.objects.filter(slug=demo.slug).first()
    tenant = tenant or create_tenant(name=demo.name, slug=demo.slug, owner=admin)
    with tenant_scope(tenant.id):
        add_member(tenant=tenant, user=expert, role=Role.REVIEWER)
        for old in ApiKey.objects.filter(name=KEY_NAME, revoked_at=None):
            revoke_api_key(key_id=old.id)
        _, token = create_api_key(tenant=tenant, name=KEY_NAME, created_by=admin)
    return Access(demo.slug, token)


def _person(email: str, name: str, password: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        return User.objects.create_user(email, password, name=name)
    user.set_password(password)
    user.save(update_fields=["password"])
    return user
