"""An engine of this site that runs only while it is used (portal/engines)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import httpx

from serving.backends.base import PRICE, Health
from serving.backends.vllm.backend import VllmEndpoint

STOPPED = "Stopped, because nobody uses it. It starts with the next request."


class SiteEngine(VllmEndpoint):
    """Options beside those of VllmEndpoint: BASE, the name of the base model. URL is that of the site's engines."""

    title = "An engine of this site, which runs while it is used"
    own = PRICE
    apart_by = ("BASE",)
    options: ClassVar[dict[str, Any]] = {**VllmEndpoint.options, "BASE": "", "TIMEOUT_SECONDS": 60.0}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        url = str(options.get("URL", "")).rstrip("/")
        super().__init__(alias, {**options, "URL": url and f"{url}/bases/{options.get('BASE', '')}"})

    @classmethod
    def apart(cls, name: str, base_model: str, options: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().apart(name, base_model, options), "BASE": base_model}

    def health(self) -> Health:
        health = super().health()
        return health if self._runs() or not health.ok else replace(health, text=STOPPED)

    def running_instances(self) -> int:
        # While it is stopped, it takes nothing of the machine.
        return int(self._runs())

    def _runs(self) -> bool:
        [server] = self.servers
        try:
            answer = httpx.get(
                f"{server.url}/health", headers=dict(server.headers), timeout=server.timeout, trust_env=False
            )
            return bool(answer.json()["status"] != "stopped")
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return False
