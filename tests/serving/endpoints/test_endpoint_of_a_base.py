"""A further endpoint on SageMaker serves the files of its own base model, on its own instance type."""

from typing import Any

import pytest
from django.conf import settings
from pytest_django import Settings

from adapters.models import BaseModel
from rest.errors import PortalError
from serving.backends import endpoints
from serving.endpoints.services import create_endpoint, plan_endpoint
from serving.operator.forms import NewEndpointForm
from standin.server import REGION
from tests.serving.sagemaker_endpoint import IMAGE
from tests.standin.deployment import ROLE

pytestmark = pytest.mark.django_db

FIRST = "s3://models/first/"


@pytest.fixture(autouse=True)
def site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings name one base model and where its files are."""
    options = {"ENDPOINT": "shared", "BASE_COMPONENT": "shared-base", "BASE_MODEL": "first", "MODEL_URI": FIRST,
               "BUCKET": "b", "ROLE_ARN": ROLE, "IMAGE": IMAGE, "REGION": REGION}  # fmt: skip
    settings.ENDPOINTS = {"default": {"BACKEND": "serving.backends.sagemaker.SageMakerEndpoint", "OPTIONS": options}}
    monkeypatch.setattr(endpoints, "built", {})


def planned(base_model: BaseModel, **options: Any) -> dict[str, Any]:
    found = plan_endpoint(name="more", backend="default", base_model=base_model, options=options)
    return {name: found.get(name) for name in ("MODEL_URI", "INSTANCE_TYPE", "BASE_MODEL")}


def base(name: str, **columns: str) -> BaseModel:
    made: BaseModel = BaseModel.objects.create(name=name, title=name.title(), **columns)
    return made


def test_it_gets_what_its_base_model_has() -> None:
    other = base("other", sagemaker_uri="s3://models/other/", serving_instance="ml.p5.4xlarge")
    expected = {"MODEL_URI": "s3://models/other/", "INSTANCE_TYPE": "ml.p5.4xlarge", "BASE_MODEL": "other"}
    assert planned(other) == expected
    made = create_endpoint(name="more", backend="default", base_model=other, options={})
    assert made.options["MODEL_URI"] == "s3://models/other/"
    assert endpoints.of("default", made.options).priced.item == "ml.p5.4xlarge"


def test_what_is_entered_goes_first() -> None:
    other = base("other", sagemaker_uri="s3://models/other/", serving_instance="ml.p5.4xlarge")
    found = planned(other, MODEL_URI="s3://models/newer/", INSTANCE_TYPE="ml.g6e.xlarge")
    assert (found["MODEL_URI"], found["INSTANCE_TYPE"]) == ("s3://models/newer/", "ml.g6e.xlarge")


def test_it_never_serves_another_ones_files() -> None:
    with pytest.raises(PortalError, match="Other has no location for SageMaker") as caught:
        planned(base("other"))
    assert (caught.value.code, caught.value.field) == ("endpoint:base_not_in_s3", "MODEL_URI")
    assert planned(base("first"))["MODEL_URI"] is None, "that of the settings"


@pytest.mark.parametrize(
    ("entered", "instance"),
    [("", "ml.p5.4xlarge"), ("ml.g5.2xlarge", "ml.g5.2xlarge"), ("ml.g6.xlarge", "ml.g6.xlarge")],
)
def test_the_form_takes_an_instance_that_is_the_sites_too(entered: str, instance: str) -> None:
    other = base("other", sagemaker_uri="s3://models/other/", serving_instance="ml.p5.4xlarge")
    settings.ENDPOINTS["default"]["OPTIONS"]["INSTANCE_TYPE"] = "ml.g5.2xlarge"
    shown = NewEndpointForm(alias="default")
    assert [shown[name].value() for name in ("MODEL_URI", "INSTANCE_TYPE")] == ["", ""]
    usual = {name: shown[name].value() for name in shown.fields}
    form = NewEndpointForm({**usual, "name": "more", "base_model": "other", "INSTANCE_TYPE": entered}, alias="default")
    assert form.is_valid(), form.errors
    found = planned(other, **form.options)
    assert (found["MODEL_URI"], found["INSTANCE_TYPE"]) == ("s3://models/other/", instance)
