from django.apps import AppConfig


class CorporaConfig(AppConfig):
    name = "corpora"

    def ready(self) -> None:
        from corpora.uploads.kinds import DatasetInspection
        from corpora.versions.kinds import DatasetCheck
        from jobs.kinds import register

        register(DatasetCheck())
        register(DatasetInspection())
