"""`uvicorn serving.gateway.app:app`."""

import os

import django
from starlette.applications import Starlette


def build() -> Starlette:
    """Set Django up for its models and settings, then make the application."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from serving.gateway.server import create_app

    return create_app()


app = build()
