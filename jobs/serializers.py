"""Jobs and their events in the REST API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from jobs.models import Job, JobEvent


class JobErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class JobLinksSerializer(serializers.Serializer[Any]):
    self = serializers.URLField()
    events = serializers.URLField()
    stop = serializers.URLField()
    page = serializers.URLField()


class JobSerializer(serializers.ModelSerializer[Job]):
    """`fraction` is 0..1. `error` says why the job failed or waits.

    `cost_usd` covers the attempts that have ended; it is null if no price is known.
    """

    error = serializers.SerializerMethodField()
    attempts = serializers.IntegerField(source="attempt")
    cost_usd = serializers.FloatField(allow_null=True)
    links = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "title",
            "state",
            "phase",
            "fraction",
            "eta_seconds",
            "error",
            "attempts",
            "billable_seconds",
            "cost_usd",
            "price_source",
            "created_at",
            "started_at",
            "finished_at",
            "links",
        )
        read_only_fields = fields

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        return {"code": job.error_code, "text": job.error_text} if job.error_text else None

    @extend_schema_field(JobLinksSerializer)
    def get_links(self, job: Job) -> dict[str, str]:
        request, kwargs = self.context.get("request"), {"pk": job.pk}
        return {
            "self": reverse("job-detail", kwargs=kwargs, request=request),
            "events": reverse("job-events", kwargs=kwargs, request=request),
            "stop": reverse("job-stop", kwargs=kwargs, request=request),
            "page": reverse("jobs:detail", kwargs={"job_id": job.pk}, request=request),
        }


class JobEventSerializer(serializers.ModelSerializer[JobEvent]):
    """Send `cursor` as `after` to continue from here."""

    cursor = serializers.SerializerMethodField()

    class Meta:
        model = JobEvent
        fields = ("cursor", "attempt", "seq", "at", "type", "data")
        read_only_fields = fields

    def get_cursor(self, event: JobEvent) -> str:
        return f"{event.attempt}.{event.seq}"


class JobEventsSerializer(serializers.Serializer[Any]):
    """`next` is the cursor of the last event, or the one you sent if there are no new events."""

    events = JobEventSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class EventsQuerySerializer(serializers.Serializer[Any]):
    """Where the last response ended."""

    after = serializers.RegexField(
        r"^[0-9]{1,4}\.[0-9]{1,9}$",
        default="0.0",
        help_text="Cursor of the last event you have seen, such as `1.42`.",
        error_messages={"invalid": "Send the cursor of an event, such as 1.42, or omit it to start from the first."},
    )

    def validate_after(self, value: str) -> tuple[int, int]:
        attempt, seq = value.split(".")
        return int(attempt), int(seq)
