"""What watches endpoints from outside by alias, for settings."""

from typing import Any


def usage_sources(*, endpoint: str, region: str, engine_metrics: dict[str, str]) -> dict[str, dict[str, Any]]:
    """CloudWatch, where endpoints are on SageMaker: `endpoint` names the first, empty for none."""
    if not endpoint:
        return {}
    options = {"REGION": region, "ENGINE_METRICS": engine_metrics}
    return {"cloudwatch": {"BACKEND": "metering.backends.cloudwatch.CloudWatch", "OPTIONS": options}}
