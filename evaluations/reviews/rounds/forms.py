"""The form that starts a round. As it stands, one click suffices."""

from typing import Any

from django import forms

from evaluations.models import Assignment, EvaluationRun, ReviewRound, RoundShape, RubricVersion
from evaluations.reviews.people import usual_reviewers
from evaluations.reviews.rounds.draw import Shares
from evaluations.reviews.rounds.services import MOST_LABELS, MOST_REVIEWERS, USUAL_LABELS, Design
from tenants.models import Membership


class RoundForm(forms.Form):
    """Which answers, by whom, until when."""

    answers = forms.IntegerField(label="Number of answers", min_value=1, max_value=MOST_LABELS, initial=USUAL_LABELS)
    reviewers_per_answer = forms.IntegerField(
        label="Reviewers per answer", min_value=1, max_value=MOST_REVIEWERS, initial=1
    )
    reviewers = forms.MultipleChoiceField(label="Reviewers", widget=forms.CheckboxSelectMultiple)
    due_on = forms.DateField(label="Due", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    candidate = forms.ChoiceField(
        label="Answers of", help_text="The model that experts grade. They don’t learn which one it is."
    )
    rubric_version = forms.ChoiceField(
        label="Rubric", required=False, help_text="Without one, experts give each answer one grade from 1 to 5."
    )
    against = forms.ChoiceField(
        label="Compare with", required=False, help_text="Experts also see this model’s answers to the same rows."
    )
    shape = forms.ChoiceField(label="How experts see answers", choices=RoundShape.choices, initial=RoundShape.SINGLE)

    shows_judge = forms.BooleanField(
        label="Show experts the judge’s grade after their own",
        required=False,
        help_text="They grade without it first. Each of them can change a grade afterwards, which is noted.",
    )

    def __init__(self, run: EvaluationRun, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.members = {str(one.user.pk): one.user for one in Membership.objects.select_related("user")}
        self.fields["reviewers"].choices = [(key, str(user)) for key, user in self.members.items()]  # type: ignore[attr-defined]
        self.fields["reviewers"].initial = [str(user.pk) for user in usual_reviewers()]
        newest = RubricVersion.objects.select_related("rubric").order_by("rubric_id", "-number").distinct("rubric_id")
        self.rubrics = {str(one.pk): one for one in newest}
        self.fields["rubric_version"].choices = [  # type: ignore[attr-defined]
            ("", "None"),
            *((key, str(one)) for key, one in self.rubrics.items()),
        ]
        self.models = {one.key: one for one in run.models.all()}
        named = [(key, one.name) for key, one in self.models.items()]
        self.fields["against"].choices = [("", "No other model"), *named]  # type: ignore[attr-defined]
        self.fields["candidate"].choices = named  # type: ignore[attr-defined]
        self.fields["candidate"].initial = run.own_key
        if len(named) == 1:
            for name in ("candidate", "against", "shape"):
                del self.fields[name]

    def grades_wanted(self) -> int | None:
        """How many grades experts give in all as the form stands; None where it does not say."""
        if not self.is_bound:
            return USUAL_LABELS
        values = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        answers, each = values.get("answers"), values.get("reviewers_per_answer")
        if answers is None or each is None:
            return None
        is_twofold = values.get("against") and values.get("shape") == RoundShape.SINGLE
        return int(answers * each * (2 if is_twofold else 1))

    def arguments(self) -> dict[str, Any]:
        """What `start_round` takes."""
        values = self.cleaned_data
        design = Design(
            labels=values["answers"],
            shares=Shares(),
            candidate=self.models.get(values.get("candidate", "")),
            against=self.models.get(values.get("against", "")),
            shape=RoundShape(values.get("shape", RoundShape.SINGLE)),
            reviewers_per_item=values["reviewers_per_answer"],
            rubric_version=self.rubrics.get(values["rubric_version"]),
            shows_judge=values["shows_judge"],
        )
        return {
            "design": design,
            "reviewers": [self.members[key] for key in values["reviewers"]],
            "due_on": values["due_on"],
        }


class ChangeForm(forms.Form):
    """Who grades in an open round, until when, and whether by the newest version of its rubric."""

    reviewers = forms.MultipleChoiceField(label="Reviewers", widget=forms.CheckboxSelectMultiple)
    due_on = forms.DateField(
        label="Due", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    newest_rubric = forms.BooleanField(
        label="Grade by the newest version of the rubric",
        required=False,
        help_text="Answers graded by an older version are handed out again.",
    )

    def __init__(self, review_round: ReviewRound, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.members = {str(one.user.pk): one.user for one in Membership.objects.select_related("user")}
        self.fields["reviewers"].choices = [(key, str(user)) for key, user in self.members.items()]  # type: ignore[attr-defined]
        people = Assignment.objects.filter(round=review_round).values_list("reviewer", flat=True)
        self.fields["reviewers"].initial = [str(key) for key in people]
        self.fields["due_on"].initial = review_round.due_on
        self.newer: RubricVersion | None = None
        used = review_round.rubric_version
        if used is not None:
            later = RubricVersion.objects.filter(rubric=used.rubric_id, number__gt=used.number)
            self.newer = later.order_by("-number").first()

    def arguments(self) -> dict[str, Any]:
        """What `change_round` takes: only what changes, so that only that is audited."""
        values = self.cleaned_data
        found: dict[str, Any] = {}
        if set(values["reviewers"]) != set(self.fields["reviewers"].initial):
            found["reviewers"] = [self.members[key] for key in values["reviewers"]]
        if values["due_on"] != self.fields["due_on"].initial:
            found |= {"due_on": values["due_on"], "keeps_due_date": False}
        if values["newest_rubric"]:
            found["rubric_version"] = self.newer
        return found
