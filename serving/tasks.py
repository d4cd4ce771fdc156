"""Celery looks for an app's tasks here."""

from serving.capacity.tasks import follow_capacity_recommendations, follow_endpoint_capacity
from serving.endpoints.tasks import read_endpoint_alarms, reconcile_endpoints
from serving.routing.tasks import learn_router, learn_routers, publish_routes
from serving.trials.tasks import forget_trial_copies

__all__ = [
    "follow_capacity_recommendations",
    "follow_endpoint_capacity",
    "forget_trial_copies",
    "learn_router",
    "learn_routers",
    "publish_routes",
    "read_endpoint_alarms",
    "reconcile_endpoints",
]
