import pytest

from serving.backends import endpoints
from serving.endpoints.services import ensure_endpoint
from serving.models import Endpoint
from tests.serving.memory_endpoint import MemoryEndpoint


@pytest.fixture
def other_memory(monkeypatch: pytest.MonkeyPatch) -> MemoryEndpoint:
    backend = MemoryEndpoint("other")
    monkeypatch.setitem(endpoints.built, "other", backend)
    return backend


@pytest.fixture
def other(endpoint: Endpoint, other_memory: MemoryEndpoint) -> Endpoint:
    """A second endpoint of the same base."""
    return ensure_endpoint(name="other", backend="other", base_model=endpoint.base_model)
