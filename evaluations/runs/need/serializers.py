"""REST: whether an evaluated version needed its training."""

from typing import get_args

from rest_framework import serializers

from evaluations.runs.need.compared import Compared, Need
from evaluations.runs.need.likeness import Conclusion, Likeness, Part, Same
from evaluations.runs.need.likeness_words import repeats_sentence
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


class LikenessPartSerializer(serializers.Serializer[Part]):
    """Rows whose similarity to the nearest training row is `low` to `high`. The rest is by the models’ keys."""

    low = serializers.FloatField()
    high = serializers.FloatField()
    rows = serializers.IntegerField()
    scores = serializers.DictField(child=serializers.FloatField(), help_text="Of `metric`.")
    intervals = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        help_text="The 95% intervals of exact match.",
    )


class SameMeaningSerializer(serializers.Serializer[Same]):
    """Held-out rows that mean nearly the same as a training row, and the models’ scores on all `others`."""

    at_least = serializers.FloatField(help_text="The cosine from which two texts count as nearly the same.")
    rows = serializers.IntegerField()
    of = serializers.IntegerField(help_text="Held-out rows that were compared: long ones are not.")
    others = serializers.IntegerField()
    without = serializers.DictField(
        child=serializers.FloatField(), help_text="Of `metric`, by the models’ keys; empty without such rows."
    )


class LikenessSerializer(serializers.Serializer[Likeness]):
    """Whether the version does more than repeat: rows by how similar they are to the nearest training row, 0 to 1.

    `parts` are thirds, the least similar first: the version, the base model, the look-up and the decisive alternative
    in each; empty for fewer than 30 rows. `conclusion` is what the first third says.
    """

    by = serializers.CharField(help_text="What they are compared by: an encoder, or words and characters.")
    conclusion = serializers.ChoiceField(list(get_args(Conclusion)), allow_null=True)
    parts = LikenessPartSerializer(many=True)
    same = SameMeaningSerializer(allow_null=True, help_text="Null without an encoder.")


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
    likeness = LikenessSerializer(allow_null=True, help_text="Null in evaluations from before it was known.")
    repeats = serializers.SerializerMethodField(
        help_text="`likeness` in words; empty for fewer than 30 rows or where it is not known."
    )

    def get_repeats(self, need: Need) -> str:
        return repeats_sentence(need)

    def get_sentence(self, need: Need) -> str:
        return f"{HEADINGS[need.verdict]} {sentence(need)}"
