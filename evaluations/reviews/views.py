"""The reviewers' screens: the queue, and one answer at a time. They show neither models nor metrics."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import push_url

from evaluations.models import EvaluationItem, EvaluationRun, Review
from evaluations.reviews.forms import GRADES, GradeForm
from evaluations.reviews.queries import Queue, queues
from evaluations.reviews.services import record_review
from evaluations.runs.queries import own_answer, ready_runs, runs
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_safe
@members_only(Action.REVIEWS_GRADE)
def reviews(request: TenantRequest) -> HttpResponse:
    """The list of reviews with this person's progress."""
    return render(request, "evaluations/reviews/list.html", {"queues": queues(request.membership.user)})


@require_safe
@members_only(Action.REVIEWS_GRADE)
def review(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """One answer: `?item=` if given, else the first without this person's grade."""
    run = get_object_or_404(ready_runs(), pk=run_id)
    queue = Queue(run, request.membership.user)
    if "item" not in request.GET:
        return _show(request, run, queue, queue.next_open())
    try:
        wanted = UUID(request.GET["item"])
    except ValueError:
        return redirect("evaluations:review", run.id)
    item = get_object_or_404(EvaluationItem.objects.filter(run=run), pk=wanted)
    return _show(request, run, queue, item.id)


@require_POST
@members_only(Action.REVIEWS_GRADE)
def grade(request: TenantRequest, item_id: UUID) -> HttpResponse:
    """Save this person's grade and show the next ungraded answer."""
    item = get_object_or_404(EvaluationItem.objects.select_related("run"), pk=item_id)
    reviewer = request.membership.user
    form = GradeForm(request.POST)
    if form.is_valid():
        try:
            record_review(tenant=request.tenant, item=item, reviewer=reviewer, **form.cleaned_data)
        except PortalError as error:
            error.show_on(form)
    run = runs().get(pk=item.run_id)
    queue = Queue(run, reviewer)
    if not form.is_valid():
        return _show(request, run, queue, item.id, form)
    following = queue.next_open(item.id)
    url = _address(run, following)
    return push_url(_show(request, run, queue, following), url) if request.htmx else redirect(url)


def _show(
    request: TenantRequest, run: EvaluationRun, queue: Queue, item_id: UUID | None, form: GradeForm | None = None
) -> HttpResponse:
    """One answer, or the notice that all are graded. For htmx, only the part that changes."""
    context: dict[str, object] = {"run": run, "progress": queue.progress, "grades": GRADES}
    if item_id is not None:
        item = EvaluationItem.objects.get(pk=item_id)
        given = Review.objects.filter(item=item, reviewer=request.membership.user).first()
        place = queue.place(item_id)
        context |= {
            "item": item,
            "prompt": item.turns,
            "answer": own_answer(item),
            "given": given,
            "form": form or GradeForm(initial={"comment": given.comment if given else ""}),
            "place": place,
            "back_url": _address(run, place.previous) if place.previous else "",
            "next_url": _address(run, place.next) if place.next else "",
            "skip_url": _address(run, place.next_open) if place.next_open else "",
        }
    whole = not request.htmx or request.htmx.history_restore_request
    template = "evaluations/reviews/review.html" if whole else "evaluations/reviews/_review.html"
    # htmx puts an answer with an error status aside, so a form with errors comes as 200 to it.
    status = 400 if form is not None and whole else 200
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _address(run: EvaluationRun, item_id: UUID | None) -> str:
    url = reverse("evaluations:review", args=[run.id])
    return f"{url}?item={item_id}" if item_id else url
