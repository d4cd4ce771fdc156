"""Detailed observability: the engines' own metrics, scraped once a minute, under the names that are configured."""

import re

import httpx
from prometheus_client.parser import text_string_to_metric_families

from standin.cloudwatch.promql.series import Series

_http = httpx.Client(timeout=2.0, trust_env=False)

LABELS = {
    "endpoint": "aws.sagemaker.endpoint.name",
    "variant": "aws.sagemaker.variant.name",
    "component": "aws.sagemaker.inference_component.name",
}


class Containers:
    """Series of the containers of bases. `names` renames metrics, about whose names AWS's own pages disagree: each
    pattern is replaced in the engine's names."""

    def __init__(self) -> None:
        self.series = Series()
        self.names: dict[str, str] = {}

    def scrape(self, *, component: str, endpoint: str, url: str, now: float) -> None:
        """Keep what an engine says of itself; one that is busy is left out, and leaves a gap."""
        try:
            answer = _http.get(f"{url}/metrics")
        except httpx.HTTPError:
            return
        if not answer.is_success:
            return
        own = {LABELS["endpoint"]: endpoint, LABELS["variant"]: "AllTraffic", LABELS["component"]: component}
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                self.series.add(self._name(sample.name), {**sample.labels, **own}, now, sample.value)

    def _name(self, name: str) -> str:
        for pattern, instead in self.names.items():
            name = re.sub(pattern, instead, name)
        return name
