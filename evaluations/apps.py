from django.apps import AppConfig


class EvaluationsConfig(AppConfig):
    name = "evaluations"

    def ready(self) -> None:
        from adapters.training import arrivals
        from adapters.versions import notes, panels
        from corpora import lineage
        from evaluations import checks  # noqa: F401
        from evaluations.alignment.kinds import AlignmentKind
        from evaluations.alignment.panels import alignment_panel, shared_alignment_panel
        from evaluations.gates.panels import decision_panel
        from evaluations.judges import panels as judge_panels
        from evaluations.judging import news
        from evaluations.licences.corrected import known_means
        from evaluations.licences.kinds import RejudgingKind
        from evaluations.licences.news import judges_have_news
        from evaluations.licences.panels import licence_panel, shared_licence_panel, standings_panel
        from evaluations.qualification.kinds import QualificationKind
        from evaluations.qualification.panels import qualification_panel
        from evaluations.runs.after_training import evaluate_new_version
        from evaluations.runs.judgings import expert_means
        from evaluations.runs.judgings import panels as judging_panels
        from evaluations.runs.judgings.kinds import JudgingKind
        from evaluations.runs.kinds import EvaluationKind
        from evaluations.runs.lineage import evaluation_uses
        from evaluations.runs.notes import score_notes
        from evaluations.runs.panels import evaluation_panel
        from jobs.kinds import register

        register(EvaluationKind())
        register(JudgingKind())
        register(QualificationKind())
        register(RejudgingKind())
        register(AlignmentKind())
        news.register(judges_have_news)
        arrivals.register(evaluate_new_version)
        # A panel that is registered later stands higher.
        panels.register(decision_panel)
        panels.register(evaluation_panel)
        judge_panels.register(qualification_panel)
        judge_panels.register(licence_panel)
        judge_panels.register_shared(shared_licence_panel)
        judge_panels.register(alignment_panel)
        judge_panels.register_shared(shared_alignment_panel)
        judging_panels.register(standings_panel)
        expert_means.register(known_means)
        notes.register(score_notes)
        lineage.register(evaluation_uses)
