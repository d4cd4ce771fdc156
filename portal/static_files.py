"""Static files under names that change with their content, so that a browser may keep them for ever."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Before `manage.py collect` has run, files keep their plain names and come from where they are written."""

    # The site's own scripts import one another by relative paths.
    support_js_module_import_aggregation = True

    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name


class StaticFiles(StaticFilesConfig):
    """What no page of ours loads is not collected."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns, "ext", "redoc*", "rest_framework", "LICENSE*", "htmx-4*", "htmax*",
    ]  # fmt: skip
