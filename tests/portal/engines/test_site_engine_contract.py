"""An endpoint on an engine that starts when it is needed does all that others do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from lorakit.tiny.canaries import pack_canary
from serving.backends.base import EndpointBackend, Package
from serving.backends.vllm import SiteEngine
from storage.objects import put_file
from tests.portal.engines.host import BASE, KEY, Running, running_host
from tests.serving.endpoints.test_endpoint_contract import EndpointContract

pytestmark = pytest.mark.slow


class TestSiteEngine(EndpointContract):
    patience = 60.0

    @pytest.fixture(scope="class")
    def host(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ENGINE_API_KEY", KEY)
            with running_host(tmp_path_factory.mktemp("engines")) as running:
                yield running

    @pytest.fixture
    def package(self, tmp_path: Path) -> Package:
        path = tmp_path / "canary.tar.gz"
        sha256 = pack_canary(settings.BASE_MODEL_DIR, path, seed=1)
        put_file(f"canaries/{sha256}", path)
        return Package(key=f"canaries/{sha256}", sha256=sha256)

    @pytest.fixture
    def backend(self, host: Running, tmp_path: Path) -> Iterator[EndpointBackend]:
        options = {"URL": host.url, "API_KEY": KEY, "ADAPTER_DIR": tmp_path / "adapters", "BASE": BASE}
        backend = SiteEngine("engines", options)
        yield backend
        for name in backend.list():
            backend.delete(name)
