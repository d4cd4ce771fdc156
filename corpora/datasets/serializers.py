"""How datasets look over REST."""

from typing import Any

from rest_framework import serializers

from corpora.models import Dataset
from corpora.versions.serializers import NewVersionSerializer, VersionSerializer


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset and its newest version."""

    version = VersionSerializer(source="latest", read_only=True, allow_null=True)

    class Meta:
        model = Dataset
        fields = ("id", "name", "description", "created_at", "version")
        read_only_fields = fields


class NewDatasetSerializer(NewVersionSerializer):
    """A file and the dataset's name; a name you have used gets the file as its next version."""

    name = serializers.CharField(max_length=120)


class DatasetChangeSerializer(serializers.Serializer[Any]):
    """What is left out stays as it is."""

    name = serializers.CharField(required=False, max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, max_length=2000)
