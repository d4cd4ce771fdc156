"""REST: base models."""

from drf_spectacular.utils import extend_schema, extend_schema_view

from adapters.models import BaseModel
from adapters.offers.serializers import BaseModelSerializer
from rest.views import MISSING, ReadOnly
from tenants.permissions import Action


@extend_schema_view(
    list=extend_schema(summary="Base models that adapters can be trained on"),
    retrieve=extend_schema(summary="One base model", responses={200: BaseModelSerializer, 404: MISSING}),
)
class BaseModelViewSet(ReadOnly):
    reads = Action.ADAPTERS_VIEW
    queryset = BaseModel.objects.all()
    serializer_class = BaseModelSerializer
