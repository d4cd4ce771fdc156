"""Celery looks for an app's tasks here."""

from serving.endpoints.tasks import reconcile_endpoints

__all__ = ["reconcile_endpoints"]
