"""Runs compute as SageMaker training jobs, through boto3."""

from jobs.backends.sagemaker.backend import SageMakerCompute

__all__ = ["SageMakerCompute"]
