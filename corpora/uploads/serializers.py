"""REST serializers of uploads."""

import datetime as dt
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from corpora.models import Upload
from corpora.uploads import tus
from corpora.uploads.kept import inspection_of
from corpora.versions.serializers import RejectionSerializer, VersionSerializer
from jobs.serializers import JobSerializer

OPTIONS = (
    "Import options. Omitted ones are detected: `file_format` (jsonl, json, csv, tsv or parquet), `encoding` (utf-8, "
    "utf-16 or windows-1252), `delimiter`, `layout`, `columns` and others; see the guide on datasets."
)


class UploadLinksSerializer(serializers.Serializer[Any]):
    self = serializers.URLField(help_text="Also the URL for data by the tus protocol.")
    inspect = serializers.URLField()
    confirm = serializers.URLField()
    page = serializers.URLField()
    parts = serializers.URLField(required=False, help_text="Only for uploads directly to storage.")
    complete = serializers.URLField(required=False, help_text="Only for uploads directly to storage.")


class UploadSerializer(serializers.ModelSerializer[Upload]):
    """An uploaded file that becomes a dataset version. `job` inspects it; `inspection` holds the preview."""

    dataset = serializers.UUIDField(source="dataset_id", read_only=True, allow_null=True)
    options = serializers.DictField(read_only=True)
    confirm = serializers.BooleanField(source="confirms_itself", read_only=True)
    inspection = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    job = JobSerializer(read_only=True, allow_null=True)
    version = VersionSerializer(read_only=True, allow_null=True)
    expires_at = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields = (
            "id",
            "file_name",
            "bytes",
            "received",
            "state",
            "dataset",
            "dataset_name",
            "options",
            "confirm",
            "sha256",
            "inspection",
            "error",
            "job",
            "version",
            "created_at",
            "expires_at",
            "links",
        )
        read_only_fields = fields

    def get_inspection(self, upload: Upload) -> dict[str, Any] | None:
        return inspection_of(upload) or None

    @extend_schema_field(RejectionSerializer(allow_null=True))
    def get_error(self, upload: Upload) -> dict[str, Any] | None:
        return dict(RejectionSerializer(upload).data) if upload.error_code else None

    def get_expires_at(self, upload: Upload) -> dt.datetime | None:
        return tus.expires_at(upload)

    @extend_schema_field(UploadLinksSerializer)
    def get_links(self, upload: Upload) -> dict[str, str]:
        request, kwargs = self.context.get("request"), {"pk": upload.pk}
        actions = ("inspect", "confirm", *(("parts", "complete") if upload.multipart_id else ()))
        return {
            "self": reverse("upload-detail", kwargs=kwargs, request=request),
            **{name: reverse(f"upload-{name}", kwargs=kwargs, request=request) for name in actions},
            "page": reverse("corpora:upload-format", kwargs={"upload_id": upload.pk}, request=request),
        }


class ListedUploadSerializer(UploadSerializer):
    """An upload without its inspection."""

    class Meta(UploadSerializer.Meta):
        fields = tuple(name for name in UploadSerializer.Meta.fields if name != "inspection")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class NewUploadSerializer(serializers.Serializer[Any]):
    """A file to upload."""

    file_name = serializers.CharField(max_length=255)
    bytes = serializers.IntegerField(min_value=0)
    dataset = serializers.UUIDField(required=False, help_text="An existing dataset. The file becomes its next version.")
    name = serializers.CharField(
        max_length=120, required=False, help_text="The dataset's name. Default: the file's name."
    )
    options = serializers.DictField(
        required=False,
        help_text=f"{OPTIONS} Without this field: those of the newest version, if there is one. {{}}: none.",
    )
    confirm = serializers.BooleanField(required=False, help_text="Import it without review.")


class OptionsSerializer(serializers.Serializer[Any]):
    """Options to change. Omitted ones keep their values."""

    options = serializers.DictField(required=False, help_text=OPTIONS)


class ConfirmationSerializer(OptionsSerializer):
    """Options to change, and the dataset if it differs from the one given at the start of the upload.

    A dataset given only here changes where the file goes, not how it is read: its earlier options are not used.
    """

    dataset = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=120, required=False)


class PartSerializer(serializers.Serializer[Any]):
    """Send `bytes` bytes of the file, starting at `offset`, to `url` by PUT."""

    number = serializers.IntegerField()
    offset = serializers.IntegerField()
    bytes = serializers.IntegerField()
    url = serializers.URLField()


class PartsSerializer(serializers.Serializer[Any]):
    """The next parts to send. If there are none, complete the upload."""

    received = serializers.IntegerField()
    parts = PartSerializer(many=True)
