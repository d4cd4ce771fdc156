"""Which container image a training runs in, where the deployment names none."""

from importlib import import_module

FRAMEWORK = {
    "framework": "huggingface",
    "version": "4.56.2",
    "base_framework_version": "pytorch2.8.0",
    "py_version": "py312",
    "image_scope": "training",
}


def look_up_image(region: str, instance_type: str) -> str:
    """AWS's own Hugging Face training image for a region, from the tables in the `sagemaker` package.

    Raises ValueError where that package is not installed. It is large and slow to import, so it is only asked here.
    """
    try:
        image_uris = import_module("sagemaker.core.image_uris")
    except ImportError:
        raise ValueError(
            "IMAGE is needed, or the `sagemaker` package (requirements/sagemaker.in) to look one up"
        ) from None
    return str(image_uris.retrieve(region=region, instance_type=instance_type, **FRAMEWORK))
