"""One table says who may do what; pages, REST and templates read it."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.permissions import SAFE_METHODS
from rest_framework.test import APIClient

from portal.api import router
from tenants.models import Tenant
from tenants.permissions import API_KEY, PERMISSIONS, Action, Role, may

APPS = ("rest", "storage", "jobs", "corpora", "adapters", "evaluations", "serving", "metering", "portal", "templates")


def test_every_role_and_keys_stand_in_the_table() -> None:
    assert PERMISSIONS.keys() == {*Role, API_KEY}
    assert all(may(Role.OWNER, action) for action in Action)
    assert PERMISSIONS[Role.REVIEWER] == {Action.REVIEWS_GRADE}
    assert not may(Role.MEMBER, Action.MEMBERS_MANAGE)
    assert not may(API_KEY, Action.KEYS_MANAGE)


@pytest.mark.parametrize(("prefix", "view"), [(prefix, view) for prefix, view, _ in router.registry])
def test_every_rest_view_names_what_it_needs(prefix: str, view: type) -> None:
    assert view.reads in Action  # type: ignore[attr-defined]
    methods = {"create", "update", "partial_update", "destroy"} & set(dir(view))
    extra = {name for action in view.get_extra_actions() for name in action.mapping}  # type: ignore[attr-defined]
    if methods or {name.upper() for name in extra} - set(SAFE_METHODS):
        assert view.writes in Action  # type: ignore[attr-defined]


def test_no_role_is_compared_outside_tenants() -> None:
    role = re.compile(r"membership\.role\b|\bRole\.[A-Z]")
    found = [
        f"{path}: {line.strip()}"
        for app in APPS
        for path in Path(settings.BASE_DIR, app).rglob("*")
        if path.suffix in {".py", ".html"} and path.parts[-2:] != ("demo", "seed.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if role.search(line)
    ]
    assert found == []


def test_a_reviewer_reads_why_over_rest(as_rita: Client) -> None:
    answer = as_rita.get("/api/v1/datasets/")
    assert (answer.status_code, answer.json()["code"]) == (403, "portal:permission_missing")
    assert as_rita.get("/api/v1/reviews/").status_code == 200


def test_a_stranger_is_asked_to_sign_in(client: Client, tenant: Tenant) -> None:
    assert client.get("/api/v1/datasets/").status_code in {401, 403}


def test_a_missing_method_is_405_and_not_403(api: APIClient) -> None:
    assert api.post("/api/v1/adapters/", {}).status_code == 405
