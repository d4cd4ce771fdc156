from django.apps import AppConfig


class AdaptersConfig(AppConfig):
    name = "adapters"

    def ready(self) -> None:
        from adapters.contexts import base_model_contexts
        from adapters.kinds import TrainingKind
        from adapters.lineage import training_uses
        from corpora import contexts, lineage
        from jobs.kinds import register

        register(TrainingKind())
        lineage.register(training_uses)
        contexts.register(base_model_contexts)
