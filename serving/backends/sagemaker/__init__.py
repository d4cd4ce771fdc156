"""Shared endpoints as SageMaker inference components: one for the base model, one for each adapter version."""

from serving.backends.sagemaker.backend import SageMakerEndpoint

__all__ = ["SageMakerEndpoint"]
