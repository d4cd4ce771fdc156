"""What clouds' alarms say is kept for the operator, and what a cloud no longer has is forgotten."""

import datetime as dt
from collections.abc import Sequence

import pytest

from serving.backends import endpoints
from serving.backends.alarms import AlarmState, CloudAlarm
from serving.backends.errors import EndpointError
from serving.endpoints.alarms import read_alarms
from serving.models import Endpoint, EndpointAlarm, EndpointState
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)


class WithAlarms(MemoryEndpoint):
    """Says what it is told to say."""

    said: Sequence[CloudAlarm] = ()
    is_away = False

    def alarms(self) -> Sequence[CloudAlarm]:
        if self.is_away:
            raise EndpointError("platform:aws_unreachable", "AWS is not responding.", temporary=True)
        return self.said


@pytest.fixture
def cloud(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> WithAlarms:
    backend = WithAlarms("default", {})
    monkeypatch.setitem(endpoints.built, "default", backend)
    return backend


def alarm(name: str, state: AlarmState, since: dt.datetime = NOON) -> CloudAlarm:
    return CloudAlarm(name=name, text=f"About {name}.", state=state, since=since)


def kept() -> list[tuple[str, str, dt.datetime]]:
    return list(EndpointAlarm.objects.values_list("name", "state", "since"))


def test_each_reading_replaces_the_one_before(cloud: WithAlarms) -> None:
    later = NOON + dt.timedelta(minutes=5)
    cloud.said = [alarm("errors", AlarmState.OK), alarm("latency", AlarmState.NO_DATA)]
    read_alarms()
    read_alarms()
    assert kept() == [("errors", "ok", NOON), ("latency", "no_data", NOON)]
    cloud.said = [alarm("errors", AlarmState.ALARM, later)]
    read_alarms()
    assert kept() == [("errors", "alarm", later)]
    cloud.said = []
    read_alarms()
    assert kept() == []


def test_a_cloud_that_is_away_leaves_what_was_read(cloud: WithAlarms) -> None:
    cloud.said = [alarm("errors", AlarmState.ALARM)]
    read_alarms()
    read_at = EndpointAlarm.objects.get().read_at
    cloud.is_away = True
    read_alarms()
    assert EndpointAlarm.objects.get().read_at == read_at
    assert kept() == [("errors", "alarm", NOON)]


def test_settings_that_no_longer_fit_stop_no_other_reading(cloud: WithAlarms, endpoint: Endpoint) -> None:
    Endpoint.objects.create(name="a-first", backend="gone", base_model=endpoint.base_model)
    cloud.said = [alarm("errors", AlarmState.ALARM)]
    read_alarms()
    assert kept() == [("errors", "alarm", NOON)]


def test_an_endpoint_that_no_longer_serves_has_no_alarms(cloud: WithAlarms) -> None:
    cloud.said = [alarm("errors", AlarmState.ALARM)]
    read_alarms()
    Endpoint.objects.update(state=EndpointState.DELETED)
    read_alarms()
    assert kept() == []
