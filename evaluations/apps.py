from django.apps import AppConfig


class EvaluationsConfig(AppConfig):
    name = "evaluations"

    def ready(self) -> None:
        from adapters.versions import panels
        from corpora import lineage
        from evaluations import checks  # noqa: F401
        from evaluations.kinds import EvaluationKind
        from evaluations.lineage import evaluation_uses
        from evaluations.panels import evaluation_panel
        from jobs.kinds import register

        register(EvaluationKind())
        panels.register(evaluation_panel)
        lineage.register(evaluation_uses)
