from django.apps import AppConfig


class ServingConfig(AppConfig):
    name = "serving"

    def ready(self) -> None:
        from adapters.base_models.names import also_used_by
        from adapters.base_models.services import before_removal
        from adapters.versions import notes, panels
        from evaluations.gates import live
        from jobs.kinds import register
        from serving import checks  # noqa: F401
        from serving.endpoints.site_engines import forget_site_engines
        from serving.moves.kinds import MoveKind
        from serving.promotions.kinds import PromotionKind
        from serving.promotions.notes import live_notes
        from serving.promotions.panels import promotion_panel
        from serving.promotions.queries import live_version
        from serving.promotions.routes import SWITCHED
        from serving.routing.queries import routers_called
        from serving.trials.kinds import TrialKind
        from tenants.webhooks.kinds import register_kinds

        also_used_by(routers_called)
        before_removal(forget_site_engines)
        register(MoveKind())
        register(PromotionKind())
        register(TrialKind())
        panels.register(promotion_panel)
        notes.register(live_notes, has_badges=True)
        live.register(live_version)
        register_kinds(SWITCHED)
