"""Fixtures for every app's tests: a fixed cast of people, and the job engine run in process.

Alice owns a tenant, Bob is a member of it, Rita reviews for it; Charlie owns another and must see nothing. Olga
operates the site and belongs to none.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator

import hypothesis
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient
from xdist.remote import Producer

from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.states import ACTIVE, State
from tenants.keys.services import create_api_key
from tenants.models import Tenant, User
from tenants.people.services import add_member, create_tenant
from tenants.permissions import Role
from tenants.scope import system_scope, tenant_scope
from tests.plugins.both_ends import FromBothEnds, is_worker, slow_files_first
from tests.plugins.services import prepare_database

PASSWORD = "correct horse battery"

# Whatever uses one of these waits for a real engine to start.
SLOW_FIXTURES = {"engine"}

hypothesis.settings.register_profile("fast", max_examples=10)
hypothesis.settings.register_profile("thorough", max_examples=10_000)


def pytest_configure() -> None:
    # A slow hash is right for people and wrong for a thousand of them.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and not SLOW_FIXTURES.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.slow)
    if is_worker(config):
        slow_files_first(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FromBothEnds | None:
    return FromBothEnds(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """The database is made and migrated as its owner, so pytest-django must not create one of its own."""
    prepare_database()


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice@example.com", PASSWORD, name="Alice")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob@example.com", PASSWORD, name="Bob")


@pytest.fixture
def rita(db: None) -> User:
    return User.objects.create_user("rita@example.com", PASSWORD, name="Rita")


@pytest.fixture
def charlie(db: None) -> User:
    return User.objects.create_user("charlie@example.com", PASSWORD, name="Charlie")


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_user("olga@example.com", PASSWORD, name="Olga", is_staff=True)


@pytest.fixture
def tenant(alice: User, bob: User, rita: User) -> Tenant:
    tenant = create_tenant(name="Alder Law", owner=alice)
    with tenant_scope(tenant.id):
        add_member(tenant=tenant, user=bob, role=Role.MEMBER)
        add_member(tenant=tenant, user=rita, role=Role.REVIEWER)
    return tenant


@pytest.fixture
def other_tenant(charlie: User) -> Tenant:
    return create_tenant(name="Cedar Care", owner=charlie)


@pytest.fixture
def in_tenant(tenant: Tenant) -> Iterator[Tenant]:
    with tenant_scope(tenant.id):
        yield tenant


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def as_alice(alice: User, tenant: Tenant) -> Client:
    return _signed_in(alice)


@pytest.fixture
def as_bob(bob: User, tenant: Tenant) -> Client:
    return _signed_in(bob)


@pytest.fixture
def as_rita(rita: User, tenant: Tenant) -> Client:
    return _signed_in(rita)


@pytest.fixture
def as_charlie(charlie: User, other_tenant: Tenant) -> Client:
    return _signed_in(charlie)


@pytest.fixture
def as_olga(olga: User) -> Client:
    return _signed_in(olga)


def _with_key(tenant: Tenant) -> APIClient:
    with tenant_scope(tenant.id):
        _, token = create_api_key(tenant=tenant, name="test")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.fixture
def api(tenant: Tenant) -> APIClient:
    return _with_key(tenant)


@pytest.fixture
def other_api(other_tenant: Tenant) -> APIClient:
    return _with_key(other_tenant)


@pytest.fixture
def run_jobs() -> Callable[..., None]:
    """Step every job to its end, as the worker would; fails when that takes longer than `seconds`."""

    def run(seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        while True:
            for job_id in jobs_to_step():
                step_job(job_id)
            with system_scope():
                if not Job.objects.filter(state__in={State.QUEUED, *ACTIVE}).exists():
                    return
                # Tests may hold one transaction, in which the database's clock stands still.
                Job.objects.active().update(due_at=timezone.now() - dt.timedelta(hours=1))
            assert time.monotonic() < deadline, "the jobs did not end in time"
            time.sleep(0.1)

    return run
