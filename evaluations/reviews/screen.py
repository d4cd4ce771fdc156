"""The reviewer's screen: answers to grade, one at a time. It shows neither models nor metrics.

The page has the next few answers, so that a browser shows the following one at once and sends grades over REST. Without
JavaScript it has one, and its form is posted here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from evaluations.judges.prompts import Criterion
from evaluations.metrics.changes import word_diff
from evaluations.models import Review, ReviewRound, RoundItem, RoundShape, RoundState
from evaluations.reviews.forms import GRADES, given_by
from evaluations.reviews.queries import progress_of, rounds_for
from evaluations.reviews.queue.given import Given, shown_choice
from evaluations.reviews.queue.services import next_items, record_review, skip_item
from evaluations.reviews.queue.shown import own_item, shown_items
from evaluations.rubrics.document import parsed
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

AHEAD = 6
MOST_AHEAD = 10
"""Answers that wait to be sent are still open here, so a browser asks for more than it lacks."""

MOST_COMPARED = 20_000
"""Characters of longer texts are shown without differences."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A grade that can be given; `note` says what it stands for."""

    value: str
    note: str
    is_given: bool


@dataclass(frozen=True, kw_only=True)
class Question:
    """What an answer is graded by. `name` is its field in the form, `criterion` its name in the rubric, if any."""

    name: str
    title: str
    criterion: str
    description: str
    required: bool
    choices: list[Choice]

    @property
    def has_notes(self) -> bool:
        """Whether a line below says what the grade that is chosen stands for."""
        return bool(self.criterion) and any(choice.note for choice in self.choices)


@dataclass(frozen=True, kw_only=True)
class ShownAnswer:
    """`html` marks how the text differs from the expected one, with each part's place in it as `data-at`."""

    label: str
    text: str
    html: SafeString


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One item as the screen shows it."""

    item: RoundItem
    answers: list[ShownAnswer]
    questions: list[Question]
    instructions: str
    own: Review | None


@require_safe
@members_only(Action.REVIEWS_GRADE)
def review(request: TenantRequest, round_id: UUID) -> HttpResponse:
    """The next answers of this person; `?ahead=` asks for so many, and only for them."""
    person = request.membership.user
    found = rounds_for(person, manages=request.membership.may(Action.REVIEWS_MANAGE))
    review_round = get_object_or_404(found, pk=round_id)
    wanted = request.GET.get("ahead", "")
    ahead = min(int(wanted), MOST_AHEAD) if wanted.isascii() and wanted.isdigit() and wanted != "0" else None
    return _show(request, review_round, ahead=ahead)


@require_POST
@members_only(Action.REVIEWS_GRADE)
def grade(request: TenantRequest, item_id: UUID) -> HttpResponse:
    """Save the grade of a browser without JavaScript, or its skip, and show the next answer."""
    reviewer = request.membership.user
    item = own_item(item_id, reviewer)
    given = given_by(request.POST, form_fields(item))
    try:
        if "skip" in request.POST:
            skip_item(item=item, reviewer=reviewer)
        else:
            record_review(item=item, reviewer=reviewer, given=given)
    except PortalError as error:
        return _show(request, item.round, error=error, refused={item.id: given})
    return redirect("evaluations:review", item.round_id)


def _show(
    request: TenantRequest,
    review_round: ReviewRound,
    *,
    ahead: int | None = None,
    error: PortalError | None = None,
    refused: Mapping[UUID, Given] | None = None,
) -> HttpResponse:
    reviewer = request.membership.user
    is_open = review_round.state == RoundState.OPEN
    ids = next_items(review_round=review_round, reviewer=reviewer, ahead=ahead or AHEAD) if is_open else []
    items, own = shown_items(ids, reviewer)
    context = {
        "round": review_round,
        "progress": progress_of(review_round, reviewer),
        "shown": [on_screen(item, own.get(item.id), (refused or {}).get(item.id)) for item in items],
        "error": error,
        "posted": request.POST,
        "is_closed": not is_open,
    }
    template = "evaluations/reviews/_answers.html" if ahead else "evaluations/reviews/review.html"
    return render(request, template, context, status=400 if error else 200)


def on_screen(item: RoundItem, own: Review | None, refused: Given | None = None) -> Shown:
    """An item with its round, rubric version, row and answers, and the review `own` filled in.

    The grades of a form that was `refused` stay chosen.
    """
    pair = [item.answer.text] if item.other is None else [item.answer.text, item.other.text]
    if item.is_swapped:
        pair.reverse()
    labels = [""] if len(pair) == 1 else ["A", "B"]
    version = item.round.rubric_version
    return Shown(
        item=item,
        answers=[
            ShownAnswer(label=label, text=text, html=_differences(item.item.reference, text))
            for label, text in zip(labels, pair, strict=True)
        ],
        questions=_questions(item, refused or _given(own, item)),
        instructions=str(version.document.get("instructions", "")) if version else "",
        own=own,
    )


def form_fields(item: RoundItem) -> Mapping[str, str]:
    """{field of the form: criterion}; empty for one grade and for pairs."""
    return {one.name: one.criterion for one in _questions(item, Given()) if one.criterion}


def _given(own: Review | None, item: RoundItem) -> Given:
    if own is None:
        return Given()
    grade = None if own.grade is None else round(own.grade)
    return Given(grades=own.grades, grade=grade, choice=shown_choice(own.choice, item))


def _questions(item: RoundItem, given: Given) -> list[Question]:
    if item.round.shape == RoundShape.PAIR:
        sides = {"first": "A is better", "second": "B is better", "tie": "Equally good"}
        choices = [Choice(value=value, note=note, is_given=value == given.choice) for value, note in sides.items()]
        return [_question("choice", "Which answer is better?", choices)]
    version = item.round.rubric_version
    if version is None:
        choices = [Choice(value=str(value), note=note, is_given=given.grade == value) for value, note in GRADES]
        return [_question("grade", "How good is this answer?", choices)]
    return [
        Question(
            name=f"criterion-{place}",
            title=one.criterion.name,
            criterion=one.criterion.name,
            description=one.criterion.description,
            required=one.required,
            choices=_scale(one.criterion, given.grades.get(one.criterion.name)),
        )
        for place, one in enumerate(parsed(version.document).criteria)
    ]


def _question(name: str, title: str, choices: list[Choice]) -> Question:
    return Question(name=name, title=title, criterion="", description="", required=True, choices=choices)


def _scale(criterion: Criterion, given: int | None) -> list[Choice]:
    return [
        Choice(value=str(value), note=criterion.anchors.get(value, ""), is_given=value == given)
        for value in range(criterion.lowest, criterion.highest + 1)
    ]


def _differences(expected: str, text: str) -> SafeString:
    """The text in parts that name their place in it, in characters; what only the expected one has is between them."""
    plain = format_html('<span data-at="0">{}</span>', text)
    if expected == text or max(len(expected), len(text)) > MOST_COMPARED:
        return plain
    changes = word_diff(expected, text)
    if not any(change.kind == "same" and change.text.strip() for change in changes):
        # Texts without a word in common: everything would be marked.
        return plain
    drawn, place = [], 0
    for change in changes:
        if change.kind == "missing":
            drawn.append(f"<del>{_said('missing: ')}{escape(change.text)}{_said(' (end)')}</del>")
            continue
        part = text[place : place + len(change.text)]
        if change.kind == "same":
            drawn.append(f'<span data-at="{place}">{escape(part)}</span>')
        else:
            drawn.append(f'{_said("added: ")}<ins data-at="{place}">{escape(part)}</ins>{_said(" (end)")}')
        place += len(part)
    return SafeString("".join(drawn))


def _said(words: str) -> str:
    """What screen readers hear where others see a colour."""
    return f'<span class="visually-hidden difference-said">{words}</span>'
