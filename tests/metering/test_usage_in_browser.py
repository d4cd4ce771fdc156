"""The charts of usage in a browser: the reader's time, the requests behind a bar, and its data as a file."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from lorakit.contracts import InvocationRecord
from metering.usage.ranges import HOUR
from tests.browsing import browsing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_bar_opens_its_requests_in_the_readers_time(
    record: Callable[..., InvocationRecord], count: Callable[..., int], as_alice: Client, live_server: LiveServer
) -> None:
    hour = (timezone.now() - 5 * HOUR).replace(minute=0, second=0, microsecond=0)
    ledger = [record(at=(hour + dt.timedelta(minutes=number)).timestamp()) for number in range(3)]
    count(*ledger)
    with browsing(live_server, as_alice, timezone_id="Asia/Kolkata") as page:
        page.goto("/usage/?range=24h")
        bars = page.locator("#chart-requests .trace.bars .point")
        bars.first.wait_for(state="attached")
        assert "UTC+5:30" in page.locator("#chart-requests").inner_text()
        with page.expect_download() as started:
            page.locator('[data-chart-of="requests"][data-chart-download="csv"]').click()
        lines = Path(started.value.path()).read_text().splitlines()
        boxes = [box for bar in bars.all() if (box := bar.bounding_box())]
        box = max(boxes, key=lambda one: one["height"])
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        with page.expect_navigation(url="**/usage/requests/**"):
            page.mouse.move(*middle)
            page.locator("#chart-requests .hoverlayer .legend, #chart-requests .hoverlayer .hovertext").first.wait_for()
            page.mouse.click(*middle)
        query = parse_qs(urlparse(page.url).query)
        listed = page.locator("main").inner_text()
    assert lines[0] == 'time,"legal"'
    assert f"{hour.isoformat()},3" in lines
    assert dt.datetime.fromisoformat(query["start"][0]) == hour
    assert dt.datetime.fromisoformat(query["end"][0]) == hour + HOUR
    assert all(one.request_id in listed for one in ledger)
