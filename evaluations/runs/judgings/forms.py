"""The form that has an evaluation's answers judged: by whom, and by what."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms

from evaluations.judges.backends import judges as shared
from evaluations.judges.backends.errors import Unauthorised
from evaluations.judging.jurors import Juror, juror_of, shared_juror
from evaluations.models import Judge, Rubric, RubricVersion
from evaluations.runs.judgings.services import MOST_JUDGES
from rest.errors import NotFound, PortalError

SHARED = "shared:"
OFFERED = 50
"""Judges and rubrics to choose from, newest first."""


class JudgingForm(forms.Form):
    """Several judges are a jury. Without a rubric, answers are graded by whether they are correct."""

    judges = forms.MultipleChoiceField(
        label="Judges",
        widget=forms.CheckboxSelectMultiple,
        help_text=f"Choose up to {MOST_JUDGES}. With several, the grade is the mean of theirs.",
    )
    rubric = forms.ChoiceField(label="Rubric", required=False, help_text="Each criterion takes one call per answer.")
    is_pairwise = forms.BooleanField(
        label="Also compare answers directly",
        required=False,
        help_text="The evaluation’s own model against each other one, in both orders. A preference that depends on "
        "the order is a tie.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = judges_to_choose()
        self.fields["judges"] = self._with_choices("judges", self.offered)
        rubrics = [(str(rubric.id), rubric.name) for rubric in Rubric.objects.all()[:OFFERED]]
        self.fields["rubric"] = self._with_choices("rubric", [("", "Correctness"), *rubrics])
        if len(self.offered) == 1:
            self.fields["judges"].initial = [self.offered[0][0]]

    def arguments(self) -> dict[str, Any]:
        """Arguments of `services.start_judging`. Raises PortalError."""
        return arguments_of(self.cleaned_data)

    def _with_choices(self, name: str, choices: Sequence[tuple[str, str]]) -> forms.Field:
        field: Any = self.fields[name]
        field.choices = choices
        return field  # type: ignore[no-any-return]


def arguments_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a request names, as arguments of `services.start_judging`. Raises PortalError."""
    return {
        "jury": jury_named(values["judges"]),
        "rubric_version": newest_version(str(values["rubric"])) if values["rubric"] else None,
        "is_pairwise": values["is_pairwise"],
    }


def judges_to_choose() -> list[tuple[str, str]]:
    """(name in a request, name for people): the organisation's, then those of the site that are language models."""
    own = [(str(judge.id), f"{judge.name} ({judge.model})") for judge in Judge.objects.all()[:OFFERED]]
    return own + [(f"{SHARED}{alias}", f"{shared[alias].label}") for alias in shared if shared[alias].is_llm]


def jury_named(names: Sequence[str]) -> list[Juror]:
    """The judges that a request names. Raises NotFound, or PortalError for one that cannot be asked."""
    return [_named(name) for name in dict.fromkeys(names)]


def newest_version(rubric_id: str) -> RubricVersion:
    """The rubric's newest version. Raises NotFound."""
    versions = RubricVersion.objects.filter(rubric=_uuid(rubric_id, "Rubric", "rubric")).select_related("rubric")
    found = versions.first()
    if found is None:
        raise NotFound("Rubric not found.", field="rubric")
    return found


def _named(name: str) -> Juror:
    alias = name.removeprefix(SHARED)
    if alias != name:
        if alias not in shared or not shared[alias].is_llm:
            raise NotFound("Judge not found.", field="judges")
        return shared_juror(alias)
    judge = Judge.objects.filter(id=_uuid(name, "Judge", "judges")).first()
    if judge is None:
        raise NotFound("Judge not found.", field="judges")
    try:
        return juror_of(judge)
    except Unauthorised as error:
        text = f"“{judge.name}” cannot be asked. {error.text}"
        raise PortalError(text, code="judging:judge_unusable", field="judges") from None


def _uuid(value: str, what: str, field: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise NotFound(f"{what} not found.", field=field) from None
