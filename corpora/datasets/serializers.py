"""REST serializers of datasets."""

from typing import Any

from rest_framework import serializers

from corpora.models import Dataset
from corpora.versions.serializers import NewVersionSerializer, VersionSerializer


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset with its newest version."""

    version = VersionSerializer(source="latest", read_only=True, allow_null=True)

    class Meta:
        model = Dataset
        fields = ("id", "name", "description", "created_at", "version")
        read_only_fields = fields


class NewDatasetSerializer(NewVersionSerializer):
    """A file and the name of its dataset. If a dataset of that name exists, the file becomes its next version."""

    name = serializers.CharField(max_length=120)


class DatasetChangeSerializer(serializers.Serializer[Any]):
    """Fields to change. Omitted fields keep their values."""

    name = serializers.CharField(required=False, max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, max_length=2000)
