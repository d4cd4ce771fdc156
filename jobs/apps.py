from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from jobs import checks  # noqa: F401
        from jobs.ends import KINDS
        from tenants.webhooks.kinds import register_kinds

        register_kinds(*KINDS)
