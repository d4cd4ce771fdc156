"""What REST shows of a version's rows, findings, changes and uses, and how they are asked for."""

from typing import Any

from rest_framework import serializers

from corpora.versions.exports import TYPES
from corpora.versions.prepared import OPTION_TITLES
from corpora.versions.rows import StoredRow

MAX_CURSOR = 2**53


class MessageSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    content = serializers.CharField()


class RowSerializer(serializers.Serializer[StoredRow]):
    """A row as it is trained on."""

    number = serializers.IntegerField(help_text="Its place in the version: the training rows, then the test rows.")
    line = serializers.IntegerField(help_text="Its line in your file, its row in a Parquet file.")
    split = serializers.CharField()
    id = serializers.CharField(source="row.id", help_text="Names the messages; the same in every version.")
    slice = serializers.CharField(source="row.slice")
    label = serializers.CharField(source="row.label", allow_null=True)  # type: ignore[assignment]
    messages = MessageSerializer(source="row.messages", many=True)


class RowsSerializer(serializers.Serializer[Any]):
    """Ask again with `cursor` set to `next` until that is null."""

    rows = RowSerializer(many=True)
    next = serializers.IntegerField(source="cursor", allow_null=True)
    searched = serializers.IntegerField(help_text="Rows of the split that were looked at so far.")
    total = serializers.IntegerField(help_text="Rows of the split.")


class CursorSerializer(serializers.Serializer[Any]):
    """Where to go on."""

    cursor = serializers.IntegerField(
        required=False, default=None, min_value=0, max_value=MAX_CURSOR, help_text="`next` of the answer before."
    )
    size = serializers.IntegerField(
        required=False, default=50, min_value=1, max_value=200, help_text="At most so many."
    )


class RowsQuerySerializer(CursorSerializer):
    split = serializers.ChoiceField(choices=["all", "train", "test"], default="all")
    q = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, help_text="Only rows that hold this, in any case."
    )


class FindingSerializer(serializers.Serializer[Any]):
    """A problem or a notice about one row, or about the whole file."""

    line = serializers.IntegerField(help_text="Counts from 1, rows in Parquet; 0 for the whole file.")
    field = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField()
    kept = serializers.BooleanField(help_text="Whether the row is in the version all the same.")


class FindingsSerializer(serializers.Serializer[Any]):
    """Ask again with `cursor` set to `next` until that is null; an answer may hold none and still have a `next`."""

    findings = FindingSerializer(many=True)
    next = serializers.IntegerField(source="cursor", allow_null=True)


class FindingsQuerySerializer(CursorSerializer):
    code = serializers.CharField(required=False, default="", allow_blank=True, max_length=80)


class SomeRowsSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    examples = RowSerializer(many=True, help_text="The first of them.")


class RowChangesSerializer(serializers.Serializer[Any]):
    """A row that a version has twice counts once."""

    kept = serializers.IntegerField()
    added = SomeRowsSerializer()
    removed = SomeRowsSerializer()
    moved_to_train = SomeRowsSerializer()
    moved_to_test = SomeRowsSerializer()


class ShiftSerializer(serializers.Serializer[Any]):
    """Shares of the rows, 0..1."""

    name = serializers.CharField()
    before = serializers.FloatField()
    after = serializers.FloatField()


class OptionChangeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text=f"One of {', '.join(OPTION_TITLES)}.")
    before = serializers.JSONField()
    after = serializers.JSONField()


class DiffSerializer(serializers.Serializer[Any]):
    """From `before` to `after`; `rows` is null where there are too many to compare one by one."""

    before = serializers.UUIDField(source="before.id")
    after = serializers.UUIDField(source="after.id")
    rows = RowChangesSerializer(allow_null=True)
    options = OptionChangeSerializer(many=True)
    labels = ShiftSerializer(many=True)
    slices = ShiftSerializer(many=True)


class DiffQuerySerializer(serializers.Serializer[Any]):
    against = serializers.UUIDField(
        required=False, default=None, help_text="Another version of the dataset; without it, the ready one before."
    )


class UseSerializer(serializers.Serializer[Any]):
    """`url` is a page of this site."""

    kind = serializers.CharField(help_text="adapter version, training or evaluation")
    title = serializers.CharField()
    adapter = serializers.CharField()
    url = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_url(self, use: Any) -> str:
        url: str = self.context["request"].build_absolute_uri(use.url)
        return url


class UsesSerializer(serializers.Serializer[Any]):
    """Newest first."""

    uses = UseSerializer(many=True)


class ExportQuerySerializer(serializers.Serializer[Any]):
    content = serializers.ChoiceField(choices=["rows", "findings"], default="rows")
    file_type = serializers.ChoiceField(choices=list(TYPES), default="jsonl")


class RecheckSerializer(serializers.Serializer[Any]):
    """Options to change; the others stay as the version has them."""

    options = serializers.DictField(help_text=f"Any of {', '.join(OPTION_TITLES)}.")
