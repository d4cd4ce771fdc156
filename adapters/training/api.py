"""REST: start, estimate, stop, resume and compare training runs."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.base_models.queries import base_model_named
from adapters.models import TrainingRun
from adapters.recipes.hyperparameters import CHOICES
from adapters.training.clones import cloned
from adapters.training.comparison import check_count, compare
from adapters.training.examples import A_CLONE, A_COMPARISON, A_PREVIEW, COMPARE, NEW_TRAINING
from adapters.training.previews import preview_training
from adapters.training.queries import runs_by_ids
from adapters.training.serializers import (
    CompareSerializer,
    ComparisonSerializer,
    NewTrainingSerializer,
    PreviewSerializer,
    TrainingRunSerializer,
)
from adapters.training.services import resume_training, start_training
from corpora.versions.queries import dataset_version_named
from jobs.services import stop_job
from rest.errors import NotFound, PortalError
from rest.views import INVALID, MISSING, ReadOnly
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of

NOT_READY = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "`training:dataset_not_ready`, with the next step; `training:other_base_model`; `training:no_base_model`; "
    "`training:base_model_not_in_s3`: trainings on SageMaker can't read the base model, which has no location there; "
    "`training:template_without_tools` and `training:template_without_reasoning`: the base model's chat template does "
    "not read what the rows have (problem+json).",
)
UNKNOWN = OpenApiResponse(OpenApiTypes.OBJECT, "No such dataset version, base model or run (problem+json).")
ENDED = OpenApiResponse(OpenApiTypes.OBJECT, "`job:already_ended`: the run has ended (problem+json).")
NOT_RESUMABLE = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "`training:not_resumable`: only a stopped or failed run can be resumed; `training:already_resumed`; "
    "`training:no_checkpoint`: no checkpoint was saved; `training:checkpoint_gone`: the checkpoint was "
    "deleted (problem+json).",
)


class TrainingRunFilter(filters.FilterSet):
    """By adapter, sweep or dataset version. An id of another tenant matches nothing."""

    adapter = filters.UUIDFilter(field_name="adapter_id")
    sweep = filters.UUIDFilter(field_name="sweep_id")
    dataset_version = filters.UUIDFilter(field_name="dataset_version_id")


@extend_schema_view(
    list=extend_schema(summary="Training runs, newest first"),
    retrieve=extend_schema(summary="One run and its progress", responses={200: TrainingRunSerializer, 404: MISSING}),
)
class TrainingRunViewSet(ReadOnly):
    reads = Action.ADAPTERS_VIEW
    writes = Action.ADAPTERS_TRAIN
    serializer_class = TrainingRunSerializer
    filterset_class = TrainingRunFilter

    def get_queryset(self) -> QuerySet[TrainingRun]:
        return TrainingRun.objects.select_related("adapter", "job", "version")

    @extend_schema(
        summary="Train the next version of an adapter",
        description="With `clone_of`, omitted fields are taken from that run: its dataset, its recipe and its custom "
        "values. If that run did not set alpha, alpha scales with a new rank.",
        request=NewTrainingSerializer,
        examples=[NEW_TRAINING, A_CLONE],
        responses={201: TrainingRunSerializer, 400: INVALID, 404: UNKNOWN, 409: NOT_READY},
    )
    def create(self, request: Request) -> Response:
        values = wanted_training(request)
        run = start_training(
            tenant=tenant_of(request),
            created_by=person_of(request),
            evaluate=values["evaluate"],
            **training_arguments(values),
        )
        return Response(self.get_serializer(run).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Estimate a training",
        description="Takes the same body as starting a training, but starts nothing. Read `warnings` and "
        "`data_findings` before you start. `suggested_recipe` is the recipe that fits the data. An invalid value "
        "returns the same problem as starting would.",
        request=NewTrainingSerializer,
        examples=[NEW_TRAINING, A_PREVIEW],
        responses={200: PreviewSerializer, 400: INVALID, 404: UNKNOWN, 409: NOT_READY},
    )
    @action(detail=False, methods=["post"])
    def estimate(self, request: Request) -> Response:
        return Response(PreviewSerializer(preview_training(**training_arguments(wanted_training(request)))).data)

    @extend_schema(
        summary="Stop a run",
        description="A queued run stops immediately, a running one within seconds. Repeating the call has no effect.",
        request=None,
        responses={200: TrainingRunSerializer, 404: MISSING, 409: ENDED},
    )
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: UUID) -> Response:
        stop_job(job_id=self.get_object().job_id)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        summary="Resume a stopped or failed run",
        description="Starts a new run from its last checkpoint, with the same data and settings.",
        request=None,
        responses={201: TrainingRunSerializer, 404: MISSING, 409: NOT_RESUMABLE},
    )
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: UUID) -> Response:
        run = resume_training(run_id=self.get_object().id, created_by=person_of(request))
        return Response(self.get_serializer(run).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Compare two to five runs",
        description="Returns settings, results and curves. Anything other than two to five different runs is "
        "`training:compare_count`.",
        request=CompareSerializer,
        responses={200: ComparisonSerializer, 400: INVALID, 404: MISSING},
        examples=[COMPARE, A_COMPARISON],
    )
    @action(detail=False, methods=["post"])
    def compare(self, request: Request) -> Response:
        wanted = CompareSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        run_ids = list(dict.fromkeys(wanted.validated_data["runs"]))
        check_count(len(run_ids))
        return Response(ComparisonSerializer(compare(runs_by_ids(run_ids)), context={"request": request}).data)


INSTEAD_OF = {"alpha": "strength", "epochs": "max_steps", "max_steps": "epochs"}
"""A value given for one replaces a cloned value of the other, because only one of the two may be set."""


def wanted_training(request: Request) -> dict[str, Any]:
    """The request body, valid. Raises ValidationError."""
    wanted = NewTrainingSerializer(data=request.data)
    wanted.is_valid(raise_exception=True)
    values: dict[str, Any] = wanted.validated_data
    return values


def training_arguments(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a request body as arguments of start_training and preview_training."""
    source = cloned(_run(values["clone_of"])) if values.get("clone_of") else None
    for name in ("adapter", "dataset_version"):
        if source is None and not values.get(name):
            raise PortalError("This field is required unless `clone_of` is set.", code="training:missing", field=name)
    overrides = values["overrides"] | {name: values[name] for name in CHOICES if values.get(name)}
    arguments: dict[str, Any] = {
        "adapter_name": values.get("adapter"),
        "dataset_version": dataset_version_named(values["dataset_version"]) if values.get("dataset_version") else None,
        "base_model": base_model_named(values["base_model"]) if values.get("base_model") else None,
        "recipe": values.get("recipe"),
        "overrides": overrides,
    }
    if source is None:
        return arguments | {"recipe": arguments["recipe"] or "style"}
    kept = {name: value for name, value in source.overrides.items() if INSTEAD_OF.get(name) not in overrides}
    own = {name: value for name, value in arguments.items() if value is not None}
    return source.as_arguments() | own | {"overrides": kept | overrides}


def _run(run_id: UUID) -> TrainingRun:
    found = TrainingRun.objects.select_related("adapter__base_model").filter(id=run_id).first()
    if found is None:
        raise NotFound("Training run not found.", field="clone_of")
    return found
