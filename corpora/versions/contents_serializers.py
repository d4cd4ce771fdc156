"""REST serializers of rows, findings, diffs and uses of a version, and of their queries."""

from typing import Any

from rest_framework import serializers

from corpora.ingest.contracts import Turn
from corpora.versions.exports import CONTENTS, TYPES
from corpora.versions.prepared import OPTION_TITLES
from corpora.versions.rows import StoredRow

MAX_CURSOR = 2**53
ALWAYS = ("role", "content")


class ToolCallSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField(source="function.name")
    arguments = serializers.JSONField(source="function.arguments")


class MessageSerializer(serializers.Serializer[Any]):
    """A turn. All keys but `role` and `content` are left out where they say nothing."""

    role = serializers.ChoiceField(choices=["system", "user", "assistant", "tool"])
    content = serializers.CharField()
    name = serializers.CharField(required=False)
    weight = serializers.IntegerField(required=False, help_text="0 if the answer is read, but not learnt.")
    reasoning_content = serializers.CharField(required=False)
    tool_calls = ToolCallSerializer(many=True, required=False)
    tool_call_id = serializers.CharField(required=False, help_text="The call that a turn of a tool answers.")

    def to_representation(self, instance: Turn) -> dict[str, Any]:
        said = super().to_representation(instance)
        defaults = Turn(instance.role, instance.content)
        return {
            key: value
            for key, value in said.items()
            if key in ALWAYS or getattr(instance, key) != getattr(defaults, key)
        }


class RowSerializer(serializers.Serializer[StoredRow]):
    """A row in the form used for training."""

    number = serializers.IntegerField(help_text="Position in the version, from 1: training rows first, then test rows.")
    line = serializers.IntegerField(help_text="Line in your file, or row in a Parquet file.")
    split = serializers.CharField()
    id = serializers.CharField(source="row.id", help_text="Hash of the messages, the same in every version.")
    slice = serializers.CharField(source="row.slice")
    label = serializers.CharField(source="row.label", allow_null=True)  # type: ignore[assignment]
    metadata = serializers.DictField(
        source="row.metadata", child=serializers.CharField(), help_text="Columns kept for filtering, by name."
    )
    messages = MessageSerializer(source="row.messages", many=True)
    tools = serializers.ListField(
        source="row.tools", child=serializers.DictField(), help_text="The functions that the row's answers can call."
    )


class RowsSerializer(serializers.Serializer[Any]):
    """Repeat the request with `cursor` set to `next` until `next` is null."""

    rows = RowSerializer(many=True)
    next = serializers.IntegerField(source="cursor", allow_null=True)
    searched = serializers.IntegerField(help_text="Rows of the split searched so far.")
    total = serializers.IntegerField(help_text="All rows of the split.")


class CursorSerializer(serializers.Serializer[Any]):
    """Position and size of a page."""

    cursor = serializers.IntegerField(
        required=False,
        default=None,
        min_value=0,
        max_value=MAX_CURSOR,
        help_text="`next` of the previous response. Omit it to start from the first page.",
    )
    size = serializers.IntegerField(
        required=False, default=50, min_value=1, max_value=200, help_text="Maximum number of items."
    )


class RowsQuerySerializer(CursorSerializer):
    split = serializers.ChoiceField(choices=["all", "train", "test"], default="all")
    q = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, help_text="Text to search for, ignoring case."
    )


class FindingSerializer(serializers.Serializer[Any]):
    """A problem or notice about a row or about the whole file."""

    line = serializers.IntegerField(help_text="Line from 1 (row in a Parquet file), or 0 for the whole file.")
    field = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField()
    kept = serializers.BooleanField(help_text="Whether the row is still in the version.")


class FindingsSerializer(serializers.Serializer[Any]):
    """Repeat the request with `cursor` set to `next` until `next` is null. A page can be empty and have a `next`."""

    findings = FindingSerializer(many=True)
    next = serializers.IntegerField(source="cursor", allow_null=True)


class FindingsQuerySerializer(CursorSerializer):
    code = serializers.CharField(required=False, default="", allow_blank=True, max_length=80)


class SomeRowsSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    examples = RowSerializer(many=True, help_text="The first of these rows.")


class RowChangesSerializer(serializers.Serializer[Any]):
    """Numbers of rows that changed. Rows with the same messages count once."""

    kept = serializers.IntegerField()
    added = SomeRowsSerializer()
    removed = SomeRowsSerializer()
    moved_to_train = SomeRowsSerializer()
    moved_to_test = SomeRowsSerializer()


class ShiftSerializer(serializers.Serializer[Any]):
    """The share of rows with a label or slice, 0..1, before and after."""

    name = serializers.CharField()
    before = serializers.FloatField()
    after = serializers.FloatField()


class OptionChangeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text=f"One of {', '.join(OPTION_TITLES)}.")
    before = serializers.JSONField()
    after = serializers.JSONField()


class DiffSerializer(serializers.Serializer[Any]):
    """Changes from `before` to `after`. `rows` is null if there are too many to compare one by one."""

    before = serializers.UUIDField(source="before.id")
    after = serializers.UUIDField(source="after.id")
    rows = RowChangesSerializer(allow_null=True)
    options = OptionChangeSerializer(many=True)
    labels = ShiftSerializer(many=True)
    slices = ShiftSerializer(many=True)


class DiffQuerySerializer(serializers.Serializer[Any]):
    against = serializers.UUIDField(
        required=False, default=None, help_text="Another version of the dataset. Default: the previous ready version."
    )


class UseSerializer(serializers.Serializer[Any]):
    """Something made from the version. `url` is its page on this site."""

    kind = serializers.CharField(help_text="adapter version, training or evaluation")
    title = serializers.CharField()
    adapter = serializers.CharField()
    url = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_url(self, use: Any) -> str:
        url: str = self.context["request"].build_absolute_uri(use.url)
        return url


class UsesSerializer(serializers.Serializer[Any]):
    """The uses of a version, newest first."""

    uses = UseSerializer(many=True)


class ExportQuerySerializer(serializers.Serializer[Any]):
    content = serializers.ChoiceField(choices=list(CONTENTS), default="rows")
    file_type = serializers.ChoiceField(choices=list(TYPES), default="jsonl")


class RecheckSerializer(serializers.Serializer[Any]):
    """Options to change. Omitted ones keep the version's values."""

    options = serializers.DictField(help_text=f"Any of {', '.join(OPTION_TITLES)}.")
