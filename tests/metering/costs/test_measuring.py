"""How long an endpoint is there is written down to the millisecond, however late or often anybody looks."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from adapters.models import BaseModel
from metering.costs.measuring import measure_endpoints
from metering.models import EndpointHour
from serving.backends import endpoints
from serving.backends.errors import EndpointError
from serving.endpoints.services import ensure_endpoint
from serving.models import Endpoint, EndpointState
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
Look = Callable[[dt.datetime], None]


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> MemoryEndpoint:
    backend = MemoryEndpoint()
    monkeypatch.setitem(endpoints.built, "default", backend)
    return backend


@pytest.fixture
def endpoint(backend: MemoryEndpoint, db: None) -> Endpoint:
    base = BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere")
    endpoint = ensure_endpoint(name="shared", backend="default", base_model=base)
    Endpoint.objects.update(created_at=START, state_since=START)
    return endpoint


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
    """Measure at a time."""

    def at(moment: dt.datetime) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(timezone, "now", lambda: moment)
            measure_endpoints()

    return at


def minutes() -> dict[int, tuple[float, float]]:
    """Minutes it was there, and those times instances, by hour of the day; hours without any left out."""
    return {
        row.hour.hour: (row.up_ms / 60_000, row.instance_ms / 60_000)
        for row in EndpointHour.objects.order_by("hour")
        if row.up_ms
    }


def after(number: float) -> dt.datetime:
    return START + dt.timedelta(minutes=number)


def test_hours_are_full_but_the_first_and_the_last(endpoint: Endpoint, look: Look) -> None:
    look(after(100))
    assert minutes() == {0: (30, 30), 1: (60, 60), 2: (10, 10)}


@pytest.mark.parametrize("times", [[100], [1, 2, 3, 59, 100], [100, 100, 100], [40, 20, 100]])
def test_it_is_the_same_however_often_anybody_looks(endpoint: Endpoint, look: Look, times: list[int]) -> None:
    for number in times:
        look(after(number))
    assert minutes() == {0: (30, 30), 1: (60, 60), 2: (10, 10)}


def test_instances_are_those_of_the_moment(
    endpoint: Endpoint, look: Look, backend: MemoryEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(after(10))
    monkeypatch.setattr(backend, "running_instances", lambda: 3)
    look(after(20))
    monkeypatch.setattr(backend, "running_instances", lambda: 0)
    look(after(30))
    assert minutes() == {0: (30, 40)}


def test_a_provider_that_does_not_answer_is_taken_to_have_what_was_planned(
    endpoint: Endpoint, look: Look, backend: MemoryEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise EndpointError("platform:aws", "AWS is not answering.", temporary=True)

    monkeypatch.setattr(backend, "running_instances", fail)
    look(after(10))
    assert minutes() == {0: (10, 10)}


def test_time_in_which_it_is_not_there_is_not_added(endpoint: Endpoint, look: Look) -> None:
    look(after(10))
    Endpoint.objects.update(state=EndpointState.DELETED, state_since=after(15))
    look(after(20))
    look(after(90))
    assert minutes() == {0: (15, 15)}
    Endpoint.objects.update(state=EndpointState.IN_SERVICE, state_since=after(95))
    look(after(100))
    assert minutes() == {0: (15, 15), 2: (10, 10)}


def test_an_endpoint_that_is_being_made_costs_nothing_yet(endpoint: Endpoint, look: Look) -> None:
    Endpoint.objects.update(state=EndpointState.CREATING)
    look(after(10))
    look(after(40))
    assert minutes() == {}
    Endpoint.objects.update(state=EndpointState.IN_SERVICE, state_since=after(45))
    look(after(50))
    assert minutes() == {1: (10, 10)}


def test_a_new_minute_has_its_hour_shared_again(endpoint: Endpoint, look: Look) -> None:
    look(after(10))
    EndpointHour.objects.update(allocated_at=after(10))
    look(after(20))
    assert EndpointHour.objects.get().allocated_at is None
