"""REST: webhooks and their deliveries."""

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from rest.views import INVALID, MISSING, ReadOnly
from tenants.models import Webhook, WebhookDelivery
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of
from tenants.webhooks.queries import deliveries, webhooks
from tenants.webhooks.serializers import (
    DeliverySerializer,
    NewWebhookSerializer,
    SecretSerializer,
    WebhookBodySerializer,
    WebhookSerializer,
)
from tenants.webhooks.services import (
    change_webhook,
    create_webhook,
    delete_webhook,
    pause_webhook,
    replace_secret,
    resume_webhook,
    send_again,
    send_test,
)

BODY = OpenApiExample(
    "Two events",
    request_only=True,
    value={"url": "https://example.com/events", "events": ["job.failed", "job.succeeded"]},
)
FULL = OpenApiResponse(OpenApiTypes.OBJECT, "There are as many webhooks as there may be (problem+json).")
PAUSED = OpenApiResponse(OpenApiTypes.OBJECT, "It is paused (problem+json).")


@extend_schema_view(
    list=extend_schema(summary="Your webhooks"),
    retrieve=extend_schema(summary="One webhook", responses={200: WebhookSerializer, 404: MISSING}),
)
class WebhookViewSet(ReadOnly):
    """Addresses that hear of what happens in your organisation, as Standard Webhooks describes."""

    reads = Action.WEBHOOKS_MANAGE
    writes = Action.WEBHOOKS_MANAGE
    serializer_class = WebhookSerializer

    def get_queryset(self) -> QuerySet[Webhook]:
        return webhooks()

    @extend_schema(
        summary="Add a webhook",
        description="The secret that signs its deliveries is in this response only.",
        request=WebhookBodySerializer,
        examples=[BODY],
        responses={201: NewWebhookSerializer, 400: INVALID, 409: FULL},
    )
    def create(self, request: Request) -> Response:
        url, kinds = _body(request)
        webhook, secret = create_webhook(tenant=tenant_of(request), url=url, kinds=kinds, created_by=person_of(request))
        document = {**WebhookSerializer(webhook).data, "secret": secret}
        return Response(document, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Replace address and events",
        request=WebhookBodySerializer,
        examples=[BODY],
        responses={200: WebhookSerializer, 400: INVALID, 404: MISSING},
    )
    def update(self, request: Request, pk: str) -> Response:
        webhook = self.get_object()
        url, kinds = _body(request)
        return Response(WebhookSerializer(change_webhook(webhook=webhook, url=url, kinds=kinds)).data)

    @extend_schema(summary="Delete a webhook", responses={204: None, 404: MISSING})
    def destroy(self, request: Request, pk: str) -> Response:
        delete_webhook(webhook=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Replace the secret",
        description="The one before signs too for 24 hours: then each delivery has two signatures.",
        request=None,
        responses={200: SecretSerializer, 404: MISSING},
    )
    @action(detail=True, methods=["post"])
    def secret(self, request: Request, pk: str) -> Response:
        return Response({"secret": replace_secret(webhook=self.get_object())})

    @extend_schema(summary="Pause", request=None, responses={200: WebhookSerializer, 404: MISSING})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        return Response(WebhookSerializer(pause_webhook(webhook=self.get_object())).data)

    @extend_schema(summary="Resume", request=None, responses={200: WebhookSerializer, 404: MISSING})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        return Response(WebhookSerializer(resume_webhook(webhook=self.get_object())).data)

    @extend_schema(
        summary="Send a test event", request=None, responses={202: DeliverySerializer, 404: MISSING, 409: PAUSED}
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        delivery = send_test(webhook=self.get_object())
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)


@extend_schema_view(
    list=extend_schema(summary="What was sent to your webhooks, newest first"),
    retrieve=extend_schema(summary="One delivery", responses={200: DeliverySerializer, 404: MISSING}),
)
class DeliveryViewSet(ReadOnly):
    """Each event on its way to each webhook. Kept for 30 days."""

    reads = Action.WEBHOOKS_MANAGE
    writes = Action.WEBHOOKS_MANAGE
    serializer_class = DeliverySerializer
    filterset_fields = ("webhook", "state", "event")

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        return deliveries()

    @extend_schema(
        summary="Send an event again", request=None, responses={202: DeliverySerializer, 404: MISSING, 409: PAUSED}
    )
    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: str) -> Response:
        found = self.get_object()
        send_again(delivery=found)
        found.refresh_from_db()
        return Response(DeliverySerializer(found).data, status=status.HTTP_202_ACCEPTED)


def _body(request: Request) -> tuple[str, list[str]]:
    body = WebhookBodySerializer(data=request.data)
    body.is_valid(raise_exception=True)
    return body.validated_data["url"], body.validated_data["events"]


router = SimpleRouter()
router.register("webhooks", WebhookViewSet, basename="webhook")
router.register("webhook-deliveries", DeliveryViewSet, basename="webhook-delivery")
