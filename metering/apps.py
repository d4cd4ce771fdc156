from django.apps import AppConfig


class MeteringConfig(AppConfig):
    name = "metering"

    def ready(self) -> None:
        from metering.usage.latency import usual_p95_ms
        from serving.trials import latency

        latency.register(usual_p95_ms)
