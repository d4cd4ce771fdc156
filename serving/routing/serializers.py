"""REST: routers."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from lorakit.route.rules import MOST_RULES, MOST_TEXTS
from serving.models import Router
from serving.routing.checking import MOST_EXAMPLES, MOST_TARGETS
from serving.routing.document import FLOOR, RouterDocument, RuleDraft, Target
from serving.routing.trying import MOST_PROMPTS

KINDS = ("keyword", "pattern")


class RouterRuleSerializer(serializers.Serializer[Any]):
    """Requests that contain one of `texts` go to `target`. Send the `id` to keep the rule's hits."""

    id = serializers.CharField(required=False, default="", allow_blank=True, max_length=36)
    kind = serializers.ChoiceField(KINDS)
    texts = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False), max_length=MOST_TEXTS, allow_empty=False
    )
    target = serializers.CharField(max_length=80, help_text="Model ID of a live adapter or of a base model.")


class RouterTargetSerializer(serializers.Serializer[Any]):
    """A model that the classifier may choose, what it is for, and prompts that it should get."""

    name = serializers.CharField(max_length=80)
    description = serializers.CharField(required=False, default="", allow_blank=True)
    examples = serializers.ListField(
        child=serializers.CharField(), required=False, default=list, max_length=MOST_EXAMPLES
    )


class RouterBodySerializer(serializers.Serializer[Any]):
    """A router without its name. The first rule that fits wins; then the classifier decides, then the default."""

    rules = serializers.ListField(child=RouterRuleSerializer(), required=False, default=list, max_length=MOST_RULES)
    default = serializers.CharField(
        required=False, default="", allow_blank=True, help_text="Model for what nothing fits; empty: refuse it."
    )
    classifier = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        help_text="`examples`, `meaning` (with an encoder), `judge`, or empty for none.",
    )
    judge = serializers.CharField(
        required=False, default="", allow_blank=True, help_text="ID of the judge that `judge` asks, or `shared:NAME`."
    )
    floor = serializers.FloatField(
        required=False, default=FLOOR, help_text="Confidence from 0 to 1 below which the default answers."
    )
    targets = serializers.ListField(
        child=RouterTargetSerializer(), required=False, default=list, max_length=MOST_TARGETS
    )

    def document(self) -> RouterDocument:
        """Of valid data."""
        values = self.validated_data
        rules = tuple(RuleDraft(**{**rule, "texts": tuple(rule["texts"])}) for rule in values["rules"])
        targets = tuple(Target(**{**one, "examples": tuple(one["examples"])}) for one in values["targets"])
        plain = {name: values[name] for name in ("default", "classifier", "judge", "floor")}
        return RouterDocument(rules=rules, targets=targets, **plain)


class NewRouterSerializer(RouterBodySerializer):
    """A router to add. Its name is the model ID that programs ask."""

    name = serializers.CharField(max_length=60)


class ChangedRouterSerializer(RouterBodySerializer):
    """A router to replace. With the `revision` that you read, a change by others meanwhile is a 409."""

    revision = serializers.IntegerField(required=False, allow_null=True, default=None)


class RouterSerializer(serializers.ModelSerializer[Router]):
    """A router. `learning` says what its classifier has learnt, null before that and without one."""

    rules = serializers.ListField(child=RouterRuleSerializer())
    targets = serializers.ListField(child=RouterTargetSerializer())
    learning = serializers.SerializerMethodField()

    class Meta:
        model = Router
        fields = (
            "id",
            "name",
            "rules",
            "default",
            "classifier",
            "judge",
            "floor",
            "targets",
            "revision",
            "changed_at",
            "created_at",
            "learning",
        )

    @extend_schema_field({"type": ["object", "null"], "additionalProperties": True})
    def get_learning(self, router: Router) -> dict[str, Any] | None:
        found = getattr(router, "learning", None)
        return found.report if found is not None else None


class PromptsSerializer(serializers.Serializer[Any]):
    """Prompts to try."""

    prompts = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False), max_length=MOST_PROMPTS, allow_empty=False
    )


class TriedSerializer(serializers.Serializer[Any]):
    """Where a prompt goes. `target` is null where it is refused; `rule` counts from 1, null where none decided."""

    prompt = serializers.CharField()
    target = serializers.CharField(source="decision.target", allow_null=True)
    by = serializers.ChoiceField(("rule", "classifier", "default"), source="decision.by")
    rule = serializers.IntegerField(source="rule_number", allow_null=True)
    rule_id = serializers.CharField()
    confidence = serializers.FloatField(source="decision.confidence", allow_null=True)
