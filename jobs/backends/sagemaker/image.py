"""The container image of a training job if the deployment sets none."""

from importlib import import_module

FRAMEWORK = {
    "framework": "huggingface",
    "version": "4.56.2",
    "base_framework_version": "pytorch2.8.0",
    "py_version": "py312",
    "image_scope": "training",
}


def look_up_image(region: str, instance_type: str) -> str:
    """AWS's Hugging Face training image for a region, from the tables in the `sagemaker` package.

    Raises ValueError if the package is not installed. It is large and slow to import, so only this function imports it.
    """
    try:
        image_uris = import_module("sagemaker.core.image_uris")
    except ImportError:
        raise ValueError(
            "Set IMAGE, or install the `sagemaker` package (requirements/sagemaker.in) to look one up"
        ) from None
    return str(image_uris.retrieve(region=region, instance_type=instance_type, **FRAMEWORK))
