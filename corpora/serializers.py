"""How datasets look over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from corpora.models import Dataset, DatasetVersion
from jobs.serializers import JobSerializer


class RejectionSerializer(serializers.Serializer[Any]):
    """Why a version was rejected."""

    code = serializers.CharField(source="error_code")
    text = serializers.CharField(source="error_text")


class VersionSerializer(serializers.ModelSerializer[DatasetVersion]):
    """A version without its rows; `job` checks it."""

    error = serializers.SerializerMethodField()
    job = JobSerializer(read_only=True, allow_null=True)
    dataset = serializers.UUIDField(source="dataset_id", read_only=True)

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
            "problem_count",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(RejectionSerializer(allow_null=True))
    def get_error(self, version: DatasetVersion) -> dict[str, Any] | None:
        return dict(RejectionSerializer(version).data) if version.error_code else None


class ProblemSerializer(serializers.Serializer[Any]):
    """One row that cannot be used."""

    line = serializers.IntegerField(help_text="Counts from 1, rows in Parquet; 0 for the whole file.")
    field = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField(help_text="What is wrong and how to mend it.")


class VersionDetailSerializer(VersionSerializer):
    """A version with the first problems found in it and the profile of its rows."""

    problems = ProblemSerializer(many=True, read_only=True)
    profile = serializers.DictField(read_only=True)

    class Meta(VersionSerializer.Meta):
        fields = (*VersionSerializer.Meta.fields, "problems", "profile")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset and its newest version."""

    version = VersionSerializer(source="latest", read_only=True, allow_null=True)

    class Meta:
        model = Dataset
        fields = ("id", "name", "description", "created_at", "version")
        read_only_fields = fields


class NewVersionSerializer(serializers.Serializer[Any]):
    """A file, as multipart/form-data."""

    file = serializers.FileField(allow_empty_file=True, help_text="JSONL, CSV, TSV or Parquet.")


class NewDatasetSerializer(NewVersionSerializer):
    """A file and the dataset's name; a name you have used gets the file as its next version."""

    name = serializers.CharField(max_length=120)
