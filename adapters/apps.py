from django.apps import AppConfig


class AdaptersConfig(AppConfig):
    name = "adapters"

    def ready(self) -> None:
        from adapters.base_models.contexts import base_model_contexts
        from adapters.training.kinds import TrainingKind
        from adapters.training.lineage import training_uses
        from corpora import contexts, lineage
        from jobs.kinds import register

        register(TrainingKind())
        lineage.register(training_uses)
        contexts.register(base_model_contexts)
