"""Kinds of events of the tests' own, on a site whose customers' servers may run beside it."""

import pytest
from pytest_django.fixtures import Settings

from tenants.webhooks import kinds
from tenants.webhooks.kinds import EventKind, register_kinds


@pytest.fixture(autouse=True)
def some_kinds(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """`parcel.sent` and `parcel.lost`."""
    settings.EMBEDDED = True
    monkeypatch.setattr(kinds, "_kinds", {})
    register_kinds(
        EventKind(name="parcel.sent", title="Parcel sent", example={"parcel": 7}),
        EventKind(name="parcel.lost", title="Parcel lost", example={"parcel": 7}),
    )
