from django.apps import AppConfig


class CorporaConfig(AppConfig):
    name = "corpora"

    def ready(self) -> None:
        from corpora.inspection_kind import DatasetInspection
        from corpora.kinds import DatasetCheck
        from jobs.kinds import register

        register(DatasetCheck())
        register(DatasetInspection())
