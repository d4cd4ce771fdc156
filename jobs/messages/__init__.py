"""Celery messages that wake the workers, and for how long each is worth something."""
