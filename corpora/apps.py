from django.apps import AppConfig


class CorporaConfig(AppConfig):
    name = "corpora"

    def ready(self) -> None:
        from corpora.kinds import DatasetCheck
        from jobs.kinds import register

        register(DatasetCheck())
