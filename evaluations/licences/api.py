"""REST: licences of judges."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from evaluations.licences.serializers import LicenceSerializer
from evaluations.models import Licence
from rest.views import MISSING, ReadOnly
from tenants.permissions import Action


@extend_schema_view(
    list=extend_schema(summary="Licences of judges, newest first"),
    retrieve=extend_schema(
        summary="One licence with its figures and history", responses={200: LicenceSerializer, 404: MISSING}
    ),
)
class LicenceViewSet(ReadOnly):
    """Whether a judge's grades may stand beside experts', by one rubric, and why."""

    reads = Action.EVALUATIONS_VIEW
    serializer_class = LicenceSerializer
    filterset_fields = {"judge": ["exact"], "alias": ["exact"], "state": ["exact"], "rubric_version": ["exact"]}

    def get_queryset(self) -> QuerySet[Licence]:
        return Licence.objects.select_related("rubric_version__rubric").prefetch_related("changes")
