"""API keys for Django REST framework. ActiveTenantMiddleware has already looked up the key."""

from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tenants.models import ApiKey
from tenants.requests import PortalRequest


class KeyHolder(AnonymousUser):
    """The program that uses an API key: authenticated, but not a person."""

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]
        return True


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer apk_...`."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, ApiKey] | None:
        if not request.headers.get("Authorization", "").lower().startswith("bearer "):
            return None
        key = cast(PortalRequest, request._request).api_key
        if key is None:
            raise AuthenticationFailed("This API key is unknown, revoked or expired.", code="auth:invalid_key")
        return KeyHolder(), key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes API keys in the OpenAPI document."""

    target_class = "tenants.keys.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer apk_...`"}
