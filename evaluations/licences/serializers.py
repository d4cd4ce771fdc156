"""REST serializers of licences."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from evaluations.models import Licence, LicenceChange


class LicenceChangeSerializer(serializers.ModelSerializer[LicenceChange]):
    before = serializers.CharField(help_text="The state before, empty at first.")

    class Meta:
        model = LicenceChange
        fields = ("before", "state", "reason", "labels", "created_at")


class LicenceSerializer(serializers.ModelSerializer[Licence]):
    """`reason` is a sentence. `figures` has the tests, agreement, bias, audit and drift; `map` leads from its score to
    the experts' grade."""

    judges = serializers.ListField(child=serializers.DictField())
    rubric = serializers.SerializerMethodField(help_text="Name and version, null where only correctness is graded.")
    figures = serializers.DictField()
    map = serializers.DictField()
    changes = LicenceChangeSerializer(many=True)

    class Meta:
        model = Licence
        fields = (
            "id",
            "fingerprint",
            "judges",
            "judge",
            "alias",
            "rubric",
            "rubric_version",
            "state",
            "reason",
            "labels",
            "figures",
            "map",
            "alarm_at",
            "counts_from",
            "assessed_at",
            "changes",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_rubric(self, licence: Licence) -> str | None:
        return str(licence.rubric_version) if licence.rubric_version else None
