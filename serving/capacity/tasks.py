"""Following endpoints: predictions and what came of them, and what a cloud recommends."""

from celery import shared_task

from serving.capacity.following import follow_endpoints
from serving.capacity.recommendations import follow_recommendations
from serving.capacity.services import FOLLOWING


@shared_task(name="serving.follow_endpoints")
def follow_endpoint_capacity() -> None:
    """Predict for new adapters and measure what is due."""
    follow_endpoints()


@shared_task(name=FOLLOWING)
def follow_capacity_recommendations() -> None:
    """Look at what a cloud is trying."""
    follow_recommendations()
