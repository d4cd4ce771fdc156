"""REST: whether an evaluated version needed its training."""

from rest_framework import serializers

from evaluations.runs.need.compared import Compared, Need
from evaluations.runs.need.words import HEADINGS, sentence


class AlternativeSerializer(serializers.Serializer[Compared]):
    """A model beside the version. `key` names it in `summary`, which has more figures of it."""

    key = serializers.CharField()
    score = serializers.FloatField()
    difference = serializers.DictField(
        allow_null=True, help_text="The version’s score minus this one’s, as in `summary`; null of too few rows."
    )
    verdict = serializers.ChoiceField(
        ["better", "worse", "unclear", "too few"], help_text="How the version does against it."
    )
    likeness = serializers.CharField(help_text="What training rows are found by: an encoder, or words and characters.")
    training_rows = serializers.IntegerField(help_text="That were searched.")
    prompt_tokens = serializers.FloatField(source="facts.prompt_tokens", allow_null=True, default=None)
    completion_tokens = serializers.FloatField(source="facts.tokens", allow_null=True, default=None)
    examples = serializers.FloatField(source="facts.examples", allow_null=True, default=None)
    seconds = serializers.FloatField(source="facts.seconds", allow_null=True, default=None)
    usd_of_1000 = serializers.FloatField(
        allow_null=True,
        help_text="US dollars for the time of 1,000 answers on the evaluation’s machine; null without a price, and "
        "of a look-up and a classifier, which do not run there.",
    )


class NeedSerializer(serializers.Serializer[Need]):
    """Whether training was needed: the version beside what needs none, on the same rows. Tokens are means per answer.

    `verdict` rests on the alternative `decisive`: training is `needed` if the version beats every alternative, and not
    if one beats it; `as good` if the difference is at most 5 points whatever the truth within its interval.
    """

    verdict = serializers.ChoiceField(["needed", "not needed", "as good", "unclear", "too few"])
    sentence = serializers.SerializerMethodField()
    metric = serializers.CharField(
        help_text="exact_match, or rouge_l where hardly any answer is exactly the expected one."
    )
    decisive = serializers.CharField(source="decisive.key")
    alternatives = AlternativeSerializer(many=True)

    def get_sentence(self, need: Need) -> str:
        return f"{HEADINGS[need.verdict]} {sentence(need)}"
