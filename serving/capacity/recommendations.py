"""Has a cloud try what it was asked, and keeps what it answers. Each look goes on from what it finds."""

import datetime as dt

import structlog
from django.utils import timezone

from serving.backends.errors import EndpointError
from serving.backends.recommending import Outcome, Recommender
from serving.capacity.asked import question_of
from serving.capacity.services import note_outcome
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.models import CapacityRecommendation, RecommendationState

PATIENCE = dt.timedelta(hours=24)
"""AWS's jobs take minutes to hours."""

log = structlog.get_logger(__name__)


def follow_recommendations() -> None:
    """Look at each that isn't over."""
    for recommendation in CapacityRecommendation.objects.filter(ended_at=None).select_related("endpoint__base_model"):
        advance_recommendation(recommendation)


def advance_recommendation(recommendation: CapacityRecommendation) -> None:
    """Start it, or see how far it is. An error that passes is tried again at the next look."""
    try:
        outcome = _outcome(recommendation)
    except EndpointError as error:
        log.warning("recommendation_not_followed", recommendation=recommendation.name, code=error.code)
        is_late = timezone.now() - recommendation.created_at > PATIENCE
        if error.temporary and not is_late:
            return
        outcome = Outcome(status="failed", text=error.text)
    except (EndpointNotSetUp, ValueError) as error:
        outcome = Outcome(status="failed", text=f"The settings don’t fit any more. {error}")
    note_outcome(recommendation=recommendation, outcome=outcome)


def _outcome(recommendation: CapacityRecommendation) -> Outcome:
    recommender = backend_of(recommendation.endpoint).recommender()
    if recommender is None:
        return Outcome(status="failed", text="This endpoint is no longer on SageMaker.")
    if recommendation.state == RecommendationState.STARTING:
        recommender.start(recommendation.name, question_of(recommendation))
        return Outcome(status="running")
    outcome = recommender.look(recommendation.name)
    if outcome.status != "running":
        _clear(recommender, recommendation)
    return outcome


def _clear(recommender: Recommender, recommendation: CapacityRecommendation) -> None:
    try:
        recommender.clear(recommendation.name)
    except EndpointError as error:
        # What is left costs next to nothing, and the answer must not wait for it.
        log.warning("recommendation_not_cleared", recommendation=recommendation.name, code=error.code)
