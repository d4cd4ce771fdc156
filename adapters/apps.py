from django.apps import AppConfig


class AdaptersConfig(AppConfig):
    name = "adapters"

    def ready(self) -> None:
        from adapters.kinds import TrainingKind
        from jobs.kinds import register

        register(TrainingKind())
