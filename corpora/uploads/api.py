"""REST endpoints of resumable uploads, by the tus protocol or in parts directly to storage."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.request import UnreadablePostError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from corpora.models import Dataset, Upload
from corpora.uploads import examples, tus
from corpora.uploads.errors import BrokenOff
from corpora.uploads.receiving import append_to_upload, complete_upload, next_parts
from corpora.uploads.serializers import (
    ConfirmationSerializer,
    ListedUploadSerializer,
    NewUploadSerializer,
    OptionsSerializer,
    PartsSerializer,
    UploadSerializer,
)
from corpora.uploads.services import abort_upload, confirm_upload, create_upload, inspect_upload
from rest.errors import NotFound
from rest.parsers import StrictJSONParser
from rest.views import INVALID, MISSING, OutsideTransactions
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of

TUS_HEADER = OpenApiParameter("Tus-Resumable", str, OpenApiParameter.HEADER, description=tus.VERSION)
OFFSET_HEADER = OpenApiParameter(
    "Upload-Offset", int, OpenApiParameter.HEADER, required=True, description="The offset that HEAD returns."
)


@extend_schema_view(
    list=extend_schema(
        summary="List uploads, newest first",
        responses={200: ListedUploadSerializer(many=True), 400: INVALID},
        examples=[examples.LISTED],
    ),
    retrieve=extend_schema(
        summary="Get an upload",
        description="HEAD returns only the headers of the tus protocol. `Upload-Offset` says where to continue.",
        responses={200: UploadSerializer, 404: MISSING},
        examples=[examples.WAITING],
    ),
)
class UploadViewSet(
    OutsideTransactions, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Upload]
):
    """Uploaded files that become dataset versions."""

    reads = Action.DATASETS_VIEW
    writes = Action.DATASETS_EDIT
    # File data bypasses the parsers. Only small JSON bodies may be read into memory.
    parser_classes = (StrictJSONParser,)
    renderer_classes = (JSONRenderer,)
    filterset_fields = ("state", "dataset")

    def get_queryset(self) -> QuerySet[Upload]:
        uploads: QuerySet[Upload] = (
            Upload.objects.with_version().select_related("job").defer("job__spec", "job__result")
        )
        return uploads.defer("inspection") if self.action == "list" else uploads

    def get_serializer_class(self) -> type[UploadSerializer]:
        return ListedUploadSerializer if self.action == "list" else UploadSerializer

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Tus-Resumable"] = tus.VERSION
        if answer.status_code == status.HTTP_412_PRECONDITION_FAILED:
            answer.headers["Tus-Version"] = tus.VERSION
        if answer.status_code in {status.HTTP_423_LOCKED, status.HTTP_503_SERVICE_UNAVAILABLE}:
            answer.headers["Retry-After"] = "5"
        return answer

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """The capabilities of the server, for tus clients."""
        return Response(status=status.HTTP_204_NO_CONTENT, headers=tus.capabilities())

    @extend_schema(
        summary="Start an upload",
        description=(
            "Send JSON, or use the tus protocol with the headers `Tus-Resumable`, `Upload-Length` and "
            "`Upload-Metadata` (`filename`, `dataset`, `name`, `options` as JSON, `confirm` as 1). Storage for the "
            "whole file is reserved immediately."
        ),
        parameters=[TUS_HEADER],
        request=NewUploadSerializer,
        responses={
            201: UploadSerializer, 400: INVALID, 403: examples.NO_ROOM, 404: MISSING, 412: examples.OTHER_VERSION,
            413: examples.TOO_LARGE, 503: examples.AWAY, 507: examples.FULL,
        },
        examples=[examples.NEW, examples.RECEIVING],
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        by_tus = tus.speaks_tus(request)
        announced = _announced_by_tus(request) if by_tus else _valid(NewUploadSerializer(data=request.data))
        upload = create_upload(
            tenant=tenant_of(request),
            file_name=announced["file_name"],
            size=announced["bytes"],
            dataset=_dataset(announced.get("dataset")),
            dataset_name=announced.get("name", ""),
            options=announced.get("options"),
            confirms_itself=announced.get("confirm", False),
            in_parts=not by_tus,
            created_by=person_of(request),
        )
        document = self.get_serializer(upload).data
        headers = {"Location": document["links"]["self"], **tus.progress(upload)}
        return Response(document, status=status.HTTP_201_CREATED, headers=headers)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        tus.speaks_tus(request)
        upload = self.get_object()
        return Response(self.get_serializer(upload).data, headers=tus.progress(upload))

    @extend_schema(
        summary="Send data",
        description=(
            "Uses the tus protocol. Send any number of bytes, starting at `Upload-Offset`. If the connection is lost, "
            "the bytes received so far are kept. Send HEAD to find out where to continue."
        ),
        parameters=[TUS_HEADER, OFFSET_HEADER],
        request={tus.BYTES: OpenApiTypes.BINARY},
        responses={
            204: None, 400: INVALID, 404: MISSING, 409: examples.WRONG_OFFSET, 410: examples.GONE,
            411: INVALID, 412: examples.OTHER_VERSION, 413: examples.TOO_LARGE, 415: INVALID, 423: examples.BUSY,
            503: examples.AWAY, 507: examples.FULL,
        },
    )  # fmt: skip
    def partial_update(self, request: Request, pk: UUID) -> Response:
        upload = self.get_object()
        if not tus.speaks_tus(request):
            raise tus.WrongVersion
        if request._request.content_type != tus.BYTES:
            raise tus.WrongContent
        offset = tus.natural(request, "Upload-Offset")
        length = tus.natural(request, "Content-Length", status=status.HTTP_411_LENGTH_REQUIRED)
        try:
            upload = append_to_upload(upload=upload, source=request._request, offset=offset, length=length)
        except UnreadablePostError:
            upload.refresh_from_db()
            raise BrokenOff(upload.received) from None
        if upload.received < offset + length:
            raise BrokenOff(upload.received)
        return Response(status=status.HTTP_204_NO_CONTENT, headers=tus.progress(upload))

    @extend_schema(
        summary="Cancel an upload",
        description="Deletes its data and frees the storage reserved for it.",
        responses={204: None, 404: MISSING, 409: examples.USED},
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        tus.speaks_tus(request)
        abort_upload(upload=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Get URLs for the next parts",
        description=(
            "Only for uploads directly to storage. The URLs are valid for one hour. Call again for further parts."
        ),
        request=None,
        responses={200: PartsSerializer, 404: MISSING, 409: examples.NO_PARTS, 410: examples.GONE, 503: examples.AWAY},
        examples=[examples.PARTS],
    )
    @action(detail=True, methods=["post"])
    def parts(self, request: Request, pk: UUID) -> Response:
        upload = self.get_object()
        parts = next_parts(upload=upload)
        upload.refresh_from_db(fields=["received"])
        return Response(PartsSerializer({"received": upload.received, "parts": parts}).data)

    @extend_schema(
        summary="Complete an upload in parts",
        description="Call it when all parts are in storage. Calling it again has no effect.",
        request=None,
        responses={200: UploadSerializer, 404: MISSING, 409: examples.NO_PARTS, 410: examples.GONE, 503: examples.AWAY},
        examples=[examples.INSPECTING],
    )
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: UUID) -> Response:
        return self._upload(complete_upload(upload=self.get_object()))

    @extend_schema(
        summary="Inspect the file again with other options",
        description="Only in the state `waiting`.",
        request=OptionsSerializer,
        responses={200: UploadSerializer, 400: INVALID, 404: MISSING, 409: examples.NOT_WAITING},
        examples=[examples.OTHER_OPTIONS, examples.OTHER_ENCODING, examples.INSPECTING],
    )
    @action(detail=True, methods=["post"])
    def inspect(self, request: Request, pk: UUID) -> Response:
        upload = self.get_object()
        body = _valid(OptionsSerializer(data=request.data))
        return self._upload(inspect_upload(upload=upload, changes=body.get("options", {})))

    @extend_schema(
        summary="Import the file as a dataset version",
        description=(
            "Starts the check of all its rows. Repeated calls return the same version. The file is imported as it was "
            "inspected: a `dataset` given only here does not bring the options of its newest version along."
        ),
        request=ConfirmationSerializer,
        responses={200: UploadSerializer, 400: INVALID, 404: MISSING, 409: examples.NOT_WAITING},
        examples=[examples.CONFIRMATION, examples.CONFIRMED],
    )
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: UUID) -> Response:
        upload = self.get_object()
        body = _valid(ConfirmationSerializer(data=request.data))
        confirm_upload(
            upload=upload,
            changes=body.get("options"),
            dataset=_dataset(body.get("dataset")),
            dataset_name=body.get("name", ""),
            created_by=person_of(request),
        )
        return self._upload(self.get_object())

    def _upload(self, upload: Upload) -> Response:
        return Response(self.get_serializer(upload).data)


def _announced_by_tus(request: Request) -> dict[str, Any]:
    """The tus headers as the fields of NewUploadSerializer."""
    size = tus.natural(request, "Upload-Length")
    said = tus.metadata(request)
    options = tus.options_of(said)
    body = {
        **{name: said[name] for name in ("dataset", "name") if said.get(name)},
        **({} if options is None else {"options": options}),
        "file_name": said.get("filename") or "upload",
        "bytes": size,
        "confirm": said.get("confirm") == "1",
    }
    return _valid(NewUploadSerializer(data=body))


def _valid(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _dataset(dataset_id: UUID | None) -> Dataset | None:
    if dataset_id is None:
        return None
    dataset = Dataset.objects.filter(id=dataset_id).first()
    if dataset is None:
        raise NotFound("Dataset not found. Check its ID.", field="dataset")
    return dataset


router = SimpleRouter()
router.register("uploads", UploadViewSet, basename="upload")
