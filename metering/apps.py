from django.apps import AppConfig


class MeteringConfig(AppConfig):
    name = "metering"

    def ready(self) -> None:
        from evaluations.judges import prices as judge_prices
        from jobs import prices
        from metering import checks  # noqa: F401
        from metering.alerts.kinds import ANOMALY, FORECAST_EXCEEDED, THRESHOLD_REACHED
        from metering.prices.finder import prices_now
        from metering.prices.tokens import token_price
        from metering.usage.latency import usual_p95_ms
        from metering.usage.of_endpoints import usage_of_versions
        from serving.capacity import usage
        from serving.trials import latency
        from tenants.webhooks.kinds import register_kinds

        prices.register(prices_now)
        judge_prices.register(token_price)
        latency.register(usual_p95_ms)
        usage.register(usage_of_versions)
        register_kinds(THRESHOLD_REACHED, FORECAST_EXCEEDED, ANOMALY)
