"""Following endpoints: predictions, and what came of them."""

from celery import shared_task

from serving.capacity.following import follow_endpoints


@shared_task(name="serving.follow_endpoints")
def follow_endpoint_capacity() -> None:
    """Predict for new adapters and measure what is due."""
    follow_endpoints()
