from django.apps import AppConfig


class EvaluationsConfig(AppConfig):
    name = "evaluations"

    def ready(self) -> None:
        from adapters.versions import notes, panels
        from corpora import lineage
        from evaluations import checks  # noqa: F401
        from evaluations.runs.kinds import EvaluationKind
        from evaluations.runs.lineage import evaluation_uses
        from evaluations.runs.notes import score_notes
        from evaluations.runs.panels import evaluation_panel
        from jobs.kinds import register

        register(EvaluationKind())
        panels.register(evaluation_panel)
        notes.register(score_notes)
        lineage.register(evaluation_uses)
