"""`manage.py endpoint capacity`: the same plan and answers as the page."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from serving.backends.residency import Residency
from serving.models import Endpoint
from tenants.models import Tenant
from tests.serving.capacity.conftest import Hold, Use
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("endpoint", "capacity", *arguments, stdout=out)
    return out.getvalue()


def test_it_prints_memory_and_load(small: Endpoint, hold: Hold, use: Use, tenant: Tenant) -> None:
    use(hold(tenant, "legal", 1), 3600)
    text = said("shared")
    assert "2 slots of rank 32 and one for the base, 1.8\xa0MB each" in text
    assert "1,967,808 parameters in 32 bits" in text
    assert "Room for 32 requests of 2,048 tokens at once" in text
    assert "198 ms" in text
    assert "Then" not in text


def test_what_the_engine_says_stands_beside_the_plan(small: Endpoint, memory: MemoryEndpoint) -> None:
    memory.resident = Residency(slots=2, loads=4, load_seconds=0.01, memory={"base": 8_000_000})
    text = said("shared")
    assert "1,967,808 parameters in 32 bits; measured: 7.6\xa0MB" in text
    assert "0 of 2" in text
    assert "2.5 ms each" in text
    memory.away = True
    assert "measured:" not in said("shared")


def test_it_answers_whether_more_fit(small: Endpoint, hold: Hold, use: Use, tenant: Tenant) -> None:
    use(hold(tenant, "legal", 1), 3600)
    assert "Yes. Every adapter keeps a slot." in said("shared", "--adapters", "1", "--rank", "8", "--rate", "20")
    assert "take turns in 2 slots" in said("shared", "--adapters", "5")
    refused = said("shared", "--adapters", "1", "--rank", "64")
    assert "No. Rank 64 is above this endpoint’s highest rank, 32. Slots of rank 64 would take" in refused


def test_bad_figures_are_refused(small: Endpoint, memory: MemoryEndpoint) -> None:
    with pytest.raises(CommandError, match="rank"):
        said("shared", "--adapters", "1", "--rank", "0")
    with pytest.raises(CommandError, match="no endpoint called nowhere"):
        said("nowhere")
    memory.set_up = None
    with pytest.raises(CommandError, match="isn’t known"):
        said("shared")
