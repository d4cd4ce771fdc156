"""REST serializers of versions."""

from dataclasses import asdict
from typing import Any

import msgspec
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from corpora.ingest.contracts import Options
from corpora.models import DatasetVersion
from jobs.serializers import JobSerializer


class RejectionSerializer(serializers.Serializer[Any]):
    """Why a version was rejected or an upload failed."""

    code = serializers.CharField(source="error_code")
    text = serializers.CharField(source="error_text")


class DataFindingSerializer(serializers.Serializer[Any]):
    """What the check of a dataset found, where something is decided from it."""

    code = serializers.CharField()
    count = serializers.IntegerField(help_text="Number of rows concerned.")
    text = serializers.CharField()
    severity = serializers.ChoiceField(
        choices=["warning", "note"],
        help_text="After a `warning`, results or the adapter may be worse than they look.",
    )


class VersionLinksSerializer(serializers.Serializer[Any]):
    """Related URLs. `page` is the page for people."""

    self = serializers.URLField()
    rows = serializers.URLField()
    findings = serializers.URLField()
    diff = serializers.URLField()
    uses = serializers.URLField()
    recheck = serializers.URLField()
    export_rows = serializers.URLField()
    export_findings = serializers.URLField()
    page = serializers.URLField()


class VersionSerializer(serializers.ModelSerializer[DatasetVersion]):
    """A version without its rows. `job` is the job that checks it."""

    error = serializers.SerializerMethodField()
    job = JobSerializer(read_only=True, allow_null=True)
    dataset = serializers.UUIDField(source="dataset_id", read_only=True)
    options = serializers.DictField(read_only=True, help_text="The import options.")
    derived_from = serializers.UUIDField(
        source="derived_from_id",
        read_only=True,
        allow_null=True,
        help_text="A version of the same file with other options.",
    )
    links = serializers.SerializerMethodField()

    class Meta:
        model = DatasetVersion
        fields = (
            "id",
            "dataset",
            "number",
            "state",
            "job",
            "error",
            "file_name",
            "file_format",
            "upload_bytes",
            "upload_sha256",
            "rows_sha256",
            "row_count",
            "train_count",
            "test_count",
            "is_evaluation_set",
            "problem_count",
            "options",
            "derived_from",
            "personal_data_kept_at",
            "links",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(RejectionSerializer(allow_null=True))
    def get_error(self, version: DatasetVersion) -> dict[str, Any] | None:
        return dict(RejectionSerializer(version).data) if version.error_code else None

    @extend_schema_field(VersionLinksSerializer)
    def get_links(self, version: DatasetVersion) -> dict[str, str]:
        request = self.context.get("request")
        url = reverse("dataset-version-detail", kwargs={"pk": version.pk}, request=request)
        parts = {name: f"{url}{name}/" for name in ("rows", "findings", "diff", "uses", "recheck")}
        exports = {f"export_{content}": f"{url}export/?content={content}" for content in ("rows", "findings")}
        page = reverse("corpora:version", kwargs={"version_id": version.pk}, request=request)
        return {"self": url, **parts, **exports, "page": page}


class ProblemSerializer(serializers.Serializer[Any]):
    """A row that cannot be used."""

    line = serializers.IntegerField(help_text="Line from 1 (row in a JSON or Parquet file), or 0 for the whole file.")
    field = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField(help_text="What is wrong and how to fix it.")


class VersionDetailSerializer(VersionSerializer):
    """A version with its first problems and the profile of its rows."""

    problems = ProblemSerializer(many=True, read_only=True)
    profile = serializers.DictField(read_only=True)

    class Meta(VersionSerializer.Meta):
        fields = (*VersionSerializer.Meta.fields, "problems", "profile")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


@extend_schema_field(OpenApiTypes.OBJECT)
class FormOptionsField(serializers.Field[dict[str, Any], Any, Any, Any]):
    """A JSON object as the text of a form field."""

    default_error_messages = {"invalid": "Send the options as a JSON object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            options = msgspec.json.decode(data) if isinstance(data, str) else None
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            options = None
        if not isinstance(options, dict):
            self.fail("invalid")
        return options

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


OPTION_NAMES = frozenset(asdict(Options()))


class NewVersionSerializer(serializers.Serializer[Any]):
    """A file, as multipart/form-data."""

    file = serializers.FileField(
        allow_empty_file=True, help_text="JSONL, JSON, CSV, TSV or Parquet, also as gzip, zstd, bzip2 or zip."
    )
    options = FormOptionsField(
        required=False,
        help_text="Import options as JSON. Without this field: those of the newest version, if there is one. {}: none.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what would be dropped: options outside of `options`, and fields that are sent twice."""
        for name in self.initial_data:
            if name in OPTION_NAMES:
                text = f'Send it inside “options”, as JSON: {{"{name}": …}}.'
                raise serializers.ValidationError({name: text})
            if len(self.initial_data.getlist(name)) > 1:
                text = "This field is sent more than once. Send it once, and each file in a request of its own."
                raise serializers.ValidationError({name: text})
        return attrs
