"""REST: statements."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from evaluations.models import PaidTo
from metering.models import StatementState
from metering.statements.queries import Found
from metering.statements.shown import exact, shown


class ExactField(serializers.DecimalField):
    """An amount to a millionth."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=20, decimal_places=6, **options)


class StatementLineSerializer(serializers.Serializer[Any]):
    """Something that was paid for: a quantity at a price, or an adjustment."""

    group = serializers.CharField(source="line.group", help_text="Adapter, dataset, or what its lines have in common.")
    kind = serializers.CharField(source="line.kind", help_text="Such as serving, idle, training or adjustment.")
    title = serializers.CharField(source="line.title")
    detail = serializers.CharField(source="line.detail")
    quantity = serializers.CharField(source="line.quantity", help_text="A number, or empty.")
    unit = serializers.CharField(source="line.unit")
    unit_price = serializers.CharField(source="line.unit_price", help_text="A number, or empty without one price.")
    price_source = serializers.CharField(source="line.price_source")
    paid_to = serializers.ChoiceField(PaidTo.choices, source="line.paid_to")
    amount = ExactField(source="exact", allow_null=True, help_text="Exact. Null: the cost is unknown, and in no sum.")
    shown = serializers.DecimalField(
        max_digits=16, decimal_places=2, source="amount", allow_null=True, help_text="To the cent; sums to the total."
    )


class StatementSummarySerializer(serializers.Serializer[Found]):
    """A statement without its lines."""

    month = serializers.CharField(source="key", help_text="Such as 2026-10 (UTC).")
    number = serializers.CharField(source="document.number")
    state = serializers.ChoiceField(StatementState.choices, source="document.state")
    closed_at = serializers.DateTimeField(allow_null=True)
    currency = serializers.CharField(source="document.currency")
    use = serializers.SerializerMethodField(help_text="What the month’s own use costs, exactly.")
    adjustments = serializers.SerializerMethodField(help_text="Credits, corrections and late use, exactly.")
    due = ExactField(source="exact_due", help_text="Use and adjustments, exactly.")
    shown_due = serializers.DecimalField(max_digits=16, decimal_places=2, source="due", help_text="To the cent.")
    provider = serializers.SerializerMethodField(help_text="Paid to your own providers; not part of `due`.")
    unknown = serializers.IntegerField(source="document.unknown", help_text="Lines whose cost is unknown.")
    sha256 = serializers.CharField(help_text="Of the closed document as canonical JSON; empty while it is open.")

    @extend_schema_field(ExactField())
    def get_use(self, found: Found) -> str:
        return str(exact(found.document.use_micros))

    @extend_schema_field(ExactField())
    def get_adjustments(self, found: Found) -> str:
        return str(exact(found.document.adjustment_micros))

    @extend_schema_field(ExactField())
    def get_provider(self, found: Found) -> str:
        return str(exact(found.document.provider_micros))


@extend_schema_serializer(many=False)
class StatementsSerializer(serializers.Serializer[Any]):
    """The last months, the latest first."""

    results = StatementSummarySerializer(many=True)


class StatementSerializer(StatementSummarySerializer):
    """A statement with its lines."""

    organisation = serializers.CharField(source="document.organisation")
    sharing = serializers.CharField(source="document.sharing", help_text="How the cost of endpoints was shared.")
    lines = serializers.SerializerMethodField()

    @extend_schema_field(StatementLineSerializer(many=True))
    def get_lines(self, found: Found) -> Any:
        return StatementLineSerializer(shown(found.document).lines, many=True).data
