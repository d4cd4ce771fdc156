"""AWS is asked which instances an endpoint needs, and its answer stands beside our plan."""

import datetime as dt
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from metering.models import HourlyUsage
from rest.errors import Conflict, PortalError
from serving.backends import endpoints
from serving.backends.errors import EndpointError
from serving.backends.sagemaker.recommendation import SageMakerRecommender
from serving.capacity.recommendations import advance_recommendation, follow_recommendations
from serving.capacity.services import KEPT_RECOMMENDATIONS, start_recommendation
from serving.models import CapacityRecommendation, Deployment, Endpoint, RecommendationState
from standin.faults import Faults
from standin.objects import client
from standin.server import REGION, StandIn
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.capacity.conftest import Hold, Use
from tests.serving.sagemaker_endpoint import BUCKET, sagemaker_endpoint
from tests.standin.deployment import running_standin

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_standin(tmp_path_factory.mktemp("aws")) as standin:
        yield standin


@pytest.fixture
def on_aws(standin: StandIn, small: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """The site's endpoint at the stand-in. It was never made there, which recommendations don't need."""
    standin.hosting.recommendations.jobs.clear()
    standin.hosting.recommendations.workloads.clear()
    monkeypatch.setitem(endpoints.built, "default", sagemaker_endpoint(standin))
    yield small
    standin.faults = Faults()
    standin.hosting.recommendations.seconds = 0.0


def start(endpoint: Endpoint, **changes: Any) -> CapacityRecommendation:
    return start_recommendation(**{"endpoint": endpoint, "goal": "cost", **changes})


def objects(standin: StandIn) -> set[str]:
    listed = client("s3", standin.url, REGION).list_objects_v2(Bucket=BUCKET, Prefix="deployments/recommendations/")
    return {item["Key"].split("/", 3)[3] for item in listed.get("Contents", ())}


def held(hold: Hold, use: Use, tenant: Tenant) -> list[Deployment]:
    """Two adapters, of which the second is the busier."""
    found = [hold(tenant, "legal", 1), hold(tenant, "triage", 2)]
    use(found[0], 10)
    use(found[1], 3600)
    return found


def test_aws_tries_the_busiest_adapters_with_usual_requests(
    standin: StandIn, on_aws: Endpoint, hold: Hold, use: Use, tenant: Tenant
) -> None:
    legal, triage = held(hold, use, tenant)
    recommendation = start(on_aws, machines=["ml.g6.xlarge", "ml.g6e.xlarge"])
    assert recommendation.state == RecommendationState.STARTING
    assert recommendation.asked["adapters"] == [triage.name, legal.name]
    assert recommendation.asked["is_measured"] is False
    standin.hosting.recommendations.seconds = 3600.0
    follow_recommendations()
    recommendation.refresh_from_db()
    assert recommendation.state == RecommendationState.RUNNING
    request = standin.hosting.recommendations.jobs[recommendation.name].request
    assert request["ComputeSpec"] == {"InstanceTypes": ["ml.g6.xlarge", "ml.g6e.xlarge"]}
    assert request["OptimizeModel"] is False
    files = ("adapter_config.json", "adapter_model.safetensors")
    assert objects(standin) == {f"adapters/{one.name}/{file}" for one in (legal, triage) for file in files}
    follow_recommendations()
    recommendation.refresh_from_db()
    assert not recommendation.is_over
    standin.hosting.recommendations.jobs[recommendation.name].settles_at = 0.0
    follow_recommendations()
    recommendation.refresh_from_db()
    assert recommendation.state == RecommendationState.COMPLETED
    assert [one["machine"] for one in recommendation.answer] == ["ml.g6.xlarge", "ml.g6e.xlarge"]
    # What was needed only to try it is gone.
    assert objects(standin) == set()
    assert not standin.hosting.recommendations.workloads


def test_what_was_measured_is_asked(on_aws: Endpoint, hold: Hold, use: Use, tenant: Tenant, as_olga: Client) -> None:
    use(hold(tenant, "legal", 1), 7200, busy_ms=2000.0)
    with tenant_scope(tenant.id):
        HourlyUsage.objects.update(prompt_tokens=7200 * 300, completion_tokens=7200 * 40)
    assert (
        "or 256 of the usual 340 tokens" in as_olga.get(f"/operator/endpoints/{on_aws.id}/capacity/").content.decode()
    )
    asked = start(on_aws).asked
    # Two requests a second that take two seconds each.
    assert (asked["input_tokens"], asked["output_tokens"], asked["concurrency"]) == (300, 40, 4)
    assert asked["is_measured"]


def test_the_page_asks_and_shows_the_answer_beside_our_plan(
    on_aws: Endpoint, hold: Hold, use: Use, tenant: Tenant, as_olga: Client
) -> None:
    held(hold, use, tenant)
    address = f"/operator/endpoints/{on_aws.id}/"
    assert "Ask AWS" in as_olga.get(f"{address}capacity/").content.decode()
    sent = {"goal": "throughput", "machines": "ml.g6.xlarge, ml.p5.4xlarge"}
    page = as_olga.post(f"{address}recommend/", sent, follow=True).content.decode()
    assert "This takes minutes to hours." in page
    assert "Ask AWS" not in page
    assert 'data-live="30"' in page
    assert "already" in as_olga.post(f"{address}recommend/", sent, follow=True).content.decode()
    follow_recommendations()
    follow_recommendations()
    page = as_olga.get(f"{address}capacity/").content.decode()
    assert "data-live" not in page
    first, second = page.split('data-testid="option"')[1:]
    assert "1 × ml.p5.4xlarge" in first
    assert "1 × ml.g6.xlarge" in second
    assert "tokens/second" in first
    assert "room for 256 requests of 4,096 tokens on one GPU" in first
    assert "of 550 input and 150 output tokens, which are assumed" in page


@pytest.mark.parametrize(
    ("machines", "why"),
    [("large", "large is not an instance type"), ("ml.g5.xlarge " * 4, "at most 3"), ("'; --", "is not an instance")],
)
def test_wrong_instance_types_are_refused(on_aws: Endpoint, as_olga: Client, machines: str, why: str) -> None:
    sent = {"goal": "cost", "machines": machines}
    page = as_olga.post(f"/operator/endpoints/{on_aws.id}/recommend/", sent, follow=True).content.decode()
    assert why in page
    assert not CapacityRecommendation.objects.exists()


def test_what_aws_refuses_or_fails_is_shown(standin: StandIn, on_aws: Endpoint) -> None:
    refused = start(on_aws, machines=["ml.c5.large"])
    advance_recommendation(refused)
    assert refused.state == RecommendationState.FAILED
    failed = start(on_aws)
    advance_recommendation(failed)
    standin.hosting.recommendations.jobs[failed.name].failure_reason = "No capacity."
    standin.hosting.recommendations.jobs[failed.name].status = "Failed"
    advance_recommendation(failed)
    assert (failed.state, failed.error_text) == (RecommendationState.FAILED, "No capacity.")


def test_an_answer_that_was_lost_starts_no_second_job(standin: StandIn, on_aws: Endpoint) -> None:
    recommendation = start(on_aws)
    advance_recommendation(recommendation)
    CapacityRecommendation.objects.filter(id=recommendation.id).update(state=RecommendationState.STARTING)
    recommendation.refresh_from_db()
    advance_recommendation(recommendation)
    assert list(standin.hosting.recommendations.jobs) == [recommendation.name]
    assert recommendation.state == RecommendationState.RUNNING


def test_without_permission_it_fails_at_once(standin: StandIn, on_aws: Endpoint) -> None:
    recommendation = start(on_aws)
    standin.faults.denied.add("sagemaker")
    advance_recommendation(recommendation)
    assert recommendation.state == RecommendationState.FAILED
    assert "not set up correctly" in recommendation.error_text


def test_while_aws_is_away_it_is_waited_for_a_day(on_aws: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise EndpointError("platform:aws_unreachable", "The endpoint is not responding.", temporary=True)

    recommendation = start(on_aws)
    monkeypatch.setattr(SageMakerRecommender, "start", away)
    advance_recommendation(recommendation)
    assert recommendation.state == RecommendationState.STARTING
    CapacityRecommendation.objects.update(created_at=timezone.now() - dt.timedelta(hours=25))
    recommendation.refresh_from_db()
    advance_recommendation(recommendation)
    assert (recommendation.state, recommendation.error_text) == (
        RecommendationState.FAILED,
        "The endpoint is not responding.",
    )


def test_one_at_a_time_and_not_for_ever(on_aws: Endpoint) -> None:
    for _ in range(KEPT_RECOMMENDATIONS + 2):
        start(on_aws)
        with pytest.raises(Conflict) as caught:
            start(on_aws)
        assert caught.value.code == "recommendation:running"
        CapacityRecommendation.objects.update(ended_at=timezone.now(), state=RecommendationState.STOPPED)
    assert CapacityRecommendation.objects.count() == KEPT_RECOMMENDATIONS
    with pytest.raises(PortalError) as refused:
        start(on_aws, machines=["ml.g5.xlarge"] * 4)
    assert refused.value.code == "recommendation:bad_machines"


def test_only_sagemaker_is_asked(small: Endpoint, as_olga: Client) -> None:
    with pytest.raises(Conflict) as caught:
        start(small)
    assert caught.value.code == "recommendation:not_offered"
    assert "Recommended by AWS" not in as_olga.get(f"/operator/endpoints/{small.id}/capacity/").content.decode()


def test_the_command_asks_waits_and_shows_the_answer(on_aws: Endpoint, standin: StandIn) -> None:
    out = StringIO()
    call_command("endpoint", "recommend", "shared", "--instance", "ml.g6e.xlarge", "--yes", "--poll", "0", stdout=out)
    assert "1 x ml.g6e.xlarge" in out.getvalue()
    assert "tokens/second" in out.getvalue()
    assert "room for" in out.getvalue()
    with pytest.raises(CommandError, match="Failed"):
        call_command("endpoint", "recommend", "shared", "--instance", "ml.c5.large", "--yes", "--poll", "0", stdout=out)
