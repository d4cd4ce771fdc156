"""REST API of jobs: list, read, read events, stop."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from jobs.models import Job, JobEvent
from jobs.serializers import EventsQuerySerializer, JobEventsSerializer, JobSerializer
from jobs.services import stop_job
from rest.views import INVALID, MISSING
from tenants.permissions import Action

EVENTS_PER_ANSWER = 1000

ENDED = OpenApiResponse(OpenApiTypes.OBJECT, "The job has ended: `job:already_ended` (problem+json).")

RUNNING_JOB = OpenApiExample(
    "A running training job",
    response_only=True,
    value={
        "id": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11",
        "kind": "training",
        "title": "Train legal-summaries v2",
        "state": "running",
        "phase": "training",
        "fraction": 0.4,
        "eta_seconds": 95.0,
        "error": None,
        "attempts": 1,
        "billable_seconds": 0.0,
        "cost_usd": 0.0,
        "price_source": "Estimate set by your site’s operator, not a bill",
        "created_at": "2026-11-22T17:00:00Z",
        "started_at": "2026-11-22T17:00:02Z",
        "finished_at": None,
        "links": {
            "self": "https://portal.example/api/v1/jobs/0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11/",
            "events": "https://portal.example/api/v1/jobs/0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11/events/",
            "stop": "https://portal.example/api/v1/jobs/0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11/stop/",
            "page": "https://portal.example/jobs/0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11/",
        },
    },
)
SOME_EVENTS = OpenApiExample(
    "Two events",
    response_only=True,
    value={
        "events": [
            {
                "cursor": "1.3",
                "attempt": 1,
                "seq": 3,
                "at": "2026-11-22T17:00:05Z",
                "type": "phase",
                "data": {"phase": "training"},
            },
            {
                "cursor": "1.4",
                "attempt": 1,
                "seq": 4,
                "at": "2026-11-22T17:00:07Z",
                "type": "metric",
                "data": {"step": 10, "total": 200, "loss": 2.31, "fraction": 0.05},
            },
        ],
        "next": "1.4",
    },
)


@extend_schema_view(
    list=extend_schema(summary="Jobs, newest first", responses={200: JobSerializer(many=True), 400: INVALID}),
    retrieve=extend_schema(summary="One job", responses={200: JobSerializer, 404: MISSING}, examples=[RUNNING_JOB]),
)
class JobViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Job]):
    """Long-running work: file checks, training jobs, evaluations and promotions."""

    reads = Action.JOBS_VIEW
    writes = Action.JOBS_STOP
    serializer_class = JobSerializer
    filterset_fields = ("state", "kind")

    def get_queryset(self) -> QuerySet[Job]:
        return Job.objects.all()

    @extend_schema(
        summary="Events of a job",
        description=f"Oldest first, up to {EVENTS_PER_ANSWER}. For more, send `next` as `after`.",
        parameters=[EventsQuerySerializer],
        responses={200: JobEventsSerializer, 400: INVALID, 404: MISSING},
        examples=[SOME_EVENTS],
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def events(self, request: Request, pk: UUID) -> Response:
        job = self.get_object()
        query = EventsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        attempt, seq = query.validated_data["after"]
        newer = Q(attempt=attempt, seq__gt=seq) | Q(attempt__gt=attempt)
        events = list(JobEvent.objects.filter(newer, job=job)[:EVENTS_PER_ANSWER])
        last: Any = (events[-1].attempt, events[-1].seq) if events else (attempt, seq)
        return Response(JobEventsSerializer({"events": events, "next": f"{last[0]}.{last[1]}"}).data)

    @extend_schema(
        summary="Stop a job",
        description="A queued job stops immediately, a running one within seconds. Repeating the call has no effect.",
        request=None,
        responses={200: JobSerializer, 404: MISSING, 409: ENDED},
        examples=[RUNNING_JOB],
    )
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: UUID) -> Response:
        job = stop_job(job_id=self.get_object().id)
        return Response(self.get_serializer(job).data)


router = SimpleRouter()
router.register("jobs", JobViewSet, basename="job")
