"""How the base component of a SageMaker endpoint scales: made, changed, deleted."""

import contextlib
from collections.abc import Iterator
from io import StringIO
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from serving.backends import endpoints
from serving.backends.errors import EndpointError
from serving.backends.sagemaker import SageMakerEndpoint
from serving.models import Endpoint
from standin.clock import ManualClock
from standin.faults import Faults
from standin.objects import client
from standin.scaling.target import Target
from standin.server import REGION, StandIn
from tests.serving.endpoints.test_scaling_plan import DAY, NIGHT, TOPIC
from tests.serving.sagemaker_endpoint import sagemaker_endpoint, waited
from tests.standin.deployment import running_standin
from tests.standin.ready_engine import engines_ready

pytestmark = pytest.mark.slow

ZERO = {"LEAST_INSTANCES": 0, "LEAST_COPIES": 0, "MOST_COPIES": 4, "MOST_INSTANCES": 4}
SERVICES = ("application-autoscaling", "monitoring")


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def server(clock: ManualClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    # A session keeps AWS's service models, which take a second to read.
    session = boto3.Session(region_name=REGION)
    one_session = patch.object(boto3, "Session", return_value=session)
    with engines_ready(), one_session, running_standin(tmp_path_factory.mktemp("aws"), clock=clock) as standin:
        yield standin


@pytest.fixture
def standin(server: StandIn) -> Iterator[StandIn]:
    """Without an endpoint before and after."""
    yield server
    server.faults = Faults()
    list(waited(make(server).provision().delete()))
    assert not server.hosting.endpoints.by_name


def make(standin: StandIn, **changes: Any) -> SageMakerEndpoint:
    return sagemaker_endpoint(standin, **changes)


def target_of(standin: StandIn) -> Target:
    return standin.hosting.scaling.targets["shared-base"]


def desired(standin: StandIn) -> int:
    aws = client("sagemaker", standin.url, REGION)
    found: int = aws.describe_inference_component(InferenceComponentName="shared-base")["RuntimeConfig"][
        "DesiredCopyCount"
    ]
    return found


def set_copies(standin: StandIn, count: int) -> None:
    """As autoscaling would."""
    aws = client("sagemaker", standin.url, REGION)
    wanted = {"CopyCount": count}
    aws.update_inference_component_runtime_config(InferenceComponentName="shared-base", DesiredRuntimeConfig=wanted)
    assert desired(standin) == count


def scaling_of(standin: StandIn) -> tuple[Any, ...]:
    """All there is of it, but for what AWS names itself."""
    target = target_of(standin)
    alarms = {
        name: {key: value for key, value in alarm.request.items() if key != "AlarmActions" or name != "shared-wake"}
        for name, alarm in standin.hosting.alarms.by_name.items()
        if not name.startswith("TargetTracking-")
    }
    policies = {name: policy.request for name, policy in target.policies.items()}
    return (target.least, target.most), policies, {name: one.request for name, one in target.actions.items()}, alarms


def test_a_plan_that_does_not_scale_has_alarms_and_no_target(standin: StandIn) -> None:
    backend = make(standin, TAGS={"owner": "nlp"})
    list(waited(backend.provision().create()))
    assert not standin.hosting.scaling.targets
    alarms = standin.hosting.alarms.by_name
    assert set(alarms) == {"shared-errors", "shared-latency", "shared-no-capacity"}
    assert alarms["shared-errors"].request["Tags"] == [{"Key": "owner", "Value": "nlp"}]
    assert list(backend.scaling()) == [
        "Copies do not scale.",
        "Alarm shared-errors: INSUFFICIENT_DATA, tells nobody.",
        "Alarm shared-latency: INSUFFICIENT_DATA, tells nobody.",
        "Alarm shared-no-capacity: INSUFFICIENT_DATA, tells nobody.",
    ]


def test_alarms_follow_what_is_measured(standin: StandIn, clock: ManualClock) -> None:
    backend = make(standin, ALARM_P95_SECONDS=2.0, ALARM_GPU_MEMORY_PERCENT=95.0)
    list(waited(backend.provision().create()))

    def states() -> dict[str, str]:
        return {one.name.removeprefix("shared-"): one.state.value for one in backend.alarms()}

    def measured(seconds: float, percent: float) -> None:
        """In each minute of five: seventeen quick answers, and three that took so long."""
        metrics, of_variant = standin.hosting.metrics, {"EndpointName": "shared", "VariantName": "AllTraffic"}
        for _ in range(5):
            for took in [*([0.1] * 17), *([seconds] * 3)]:
                metrics.add("ModelLatency", of_variant, clock.now(), took * 1_000_000)
            metrics.add(
                "GPUMemoryUtilizationNormalized", {"InferenceComponentName": "shared-base"}, clock.now(), percent,
                namespace="/aws/sagemaker/InferenceComponents",
            )  # fmt: skip
            clock.advance(60)

    clock.advance(300 - clock.now() % 300)
    quiet = dict.fromkeys(("errors", "gpu-memory", "latency", "no-capacity"), "ok")
    measured(1.9, 94.0)
    assert states() == quiet
    measured(2.1, 96.0)
    assert states() == quiet, "once is not enough"
    measured(2.1, 96.0)
    assert states() == quiet | {"latency": "alarm"}
    measured(1.9, 96.0)
    assert states() == quiet | {"latency": "alarm", "gpu-memory": "alarm"}
    since = {one.name: one.since for one in backend.alarms()}
    measured(1.9, 94.0)
    assert states() == quiet
    assert all(one.since > since[one.name] for one in backend.alarms() if one.name.endswith(("latency", "gpu-memory")))
    list(waited(make(standin, ALARM_P95_SECONDS=0.0).provision().update()))
    assert set(states()) == {"errors", "no-capacity"}


def test_alarms_that_cannot_be_read_are_an_error(standin: StandIn) -> None:
    standin.faults.denied.add("monitoring")
    with pytest.raises(EndpointError):
        make(standin).alarms()


def test_created_twice_it_is_the_same(standin: StandIn) -> None:
    changes = {**ZERO, "SCHEDULE": [DAY, NIGHT], "ALARM_TOPIC": TOPIC, "TAGS": {"owner": "nlp"}}
    backend = make(standin, **changes)
    list(waited(backend.provision().create()))
    first = scaling_of(standin)
    bounds, policies, actions, alarms = first
    assert bounds == (0, 4)
    assert set(policies) == {"shared-follow-load", "shared-wake"}
    assert set(actions) == {"shared-day", "shared-night"}
    assert actions["shared-night"]["ScalableTargetAction"] == {"MinCapacity": 0, "MaxCapacity": 1}
    assert set(alarms) == {"shared-errors", "shared-latency", "shared-no-capacity", "shared-wake"}
    assert alarms["shared-errors"]["AlarmActions"] == [TOPIC]
    wake = standin.hosting.alarms.by_name["shared-wake"]
    assert wake.actions == [target_of(standin).policies["shared-wake"].arn]
    list(waited(make(standin, **changes).provision().create()))
    assert scaling_of(standin) == first
    [variant] = standin.hosting.endpoints.by_name["shared"].config.request["ProductionVariants"]
    assert variant["ManagedInstanceScaling"]["MinInstanceCount"] == 0


@pytest.mark.parametrize("service", SERVICES)
def test_a_creation_and_a_deletion_that_were_interrupted_go_on(standin: StandIn, service: str) -> None:
    backend = make(standin, **ZERO, SCHEDULE=[DAY])
    standin.faults.denied.add(service)
    with pytest.raises(EndpointError) as refused:
        list(waited(backend.provision().create()))
    assert refused.value.code == "platform:aws_denied"
    standin.faults.denied.clear()
    list(waited(backend.provision().create()))
    interrupted = scaling_of(standin)
    standin.faults.denied.add(service)
    with pytest.raises(EndpointError):
        list(waited(backend.provision().delete()))
    standin.faults.denied.clear()
    list(waited(backend.provision().create()))
    assert scaling_of(standin) == interrupted
    list(waited(backend.provision().delete()))
    assert not standin.hosting.scaling.targets
    assert not standin.hosting.alarms.by_name


def test_answers_that_are_lost_and_calls_that_are_throttled_change_nothing(standin: StandIn) -> None:
    backend = make(standin, **ZERO, SCHEDULE=[DAY, NIGHT])
    list(waited(backend.provision().create()))
    wanted = scaling_of(standin)
    list(waited(backend.provision().delete()))
    standin.faults = Faults(throttled=0.1, answers_lost=0.1, services=frozenset(SERVICES))
    for action in ("create", "delete", "create"):
        ended = False
        for _ in range(20):
            # What is not temporary would go on to fail.
            with contextlib.suppress(EndpointError):
                list(getattr(backend.provision(), action)())
                ended = True
                break
        assert ended
        if action == "delete":
            assert not standin.hosting.scaling.targets
            assert not standin.hosting.alarms.by_name
    assert standin.faults.count["throttled"]
    assert standin.faults.count["answers_lost"]
    assert scaling_of(standin) == wanted


def test_a_target_that_has_not_reached_all_of_aws_is_waited_for(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations, refusals = standin.hosting.operations, iter(range(2))
    put = operations["PutScalingPolicy"]

    def put_late(request: dict[str, Any], now: float) -> dict[str, Any]:
        if next(refusals, None) is not None:
            missing = {**request, "ResourceId": "inference-component/not-yet"}
            return put(missing, now)
        return put(request, now)

    monkeypatch.setitem(operations, "PutScalingPolicy", put_late)
    assert "Autoscaling is being changed" in list(waited(make(standin, **ZERO).provision().create()))
    assert set(target_of(standin).policies) == {"shared-follow-load", "shared-wake"}


def test_an_update_leaves_the_copies_that_autoscaling_chose(standin: StandIn) -> None:
    list(waited(make(standin, **ZERO).provision().create()))
    set_copies(standin, 3)
    # Another model, other alarms: not a word about copies.
    list(waited(make(standin, **ZERO, CPU_ADAPTERS=32, ALARM_TOPIC=TOPIC).provision().update()))
    assert desired(standin) == 3
    list(waited(make(standin, **{**ZERO, "MOST_COPIES": 2}).provision().update()))
    assert (desired(standin), target_of(standin).most) == (2, 2)
    set_copies(standin, 0)
    list(waited(make(standin, **ZERO).provision().update()))
    assert desired(standin) == 0
    list(waited(make(standin, **{**ZERO, "LEAST_COPIES": 1}).provision().update()))
    assert (desired(standin), target_of(standin).least) == (1, 1)
    assert set(target_of(standin).policies) == {"shared-follow-load"}, "nothing is left to be woken"
    assert "shared-wake" not in standin.hosting.alarms.by_name
    # Copies by hand again.
    list(waited(make(standin, COPIES=2, LEAST_COPIES=2, MOST_COPIES=2).provision().update()))
    assert desired(standin) == 2
    assert not standin.hosting.scaling.targets
    assert set(standin.hosting.alarms.by_name) == {"shared-errors", "shared-latency", "shared-no-capacity"}


def test_an_update_leaves_the_range_that_the_schedule_chose(standin: StandIn, clock: ManualClock) -> None:
    soon = {**NIGHT, "name": "soon", "cron": "* * * * ? *"}
    list(waited(make(standin, **ZERO, SCHEDULE=[soon]).provision().create()))
    set_copies(standin, 3)
    clock.advance(60)
    assert (desired(standin), target_of(standin).most) == (1, 1)
    list(waited(make(standin, **{**ZERO, "MOST_COPIES": 3}, SCHEDULE=[soon, DAY]).provision().update()))
    assert (desired(standin), target_of(standin).most) == (1, 1)
    client("application-autoscaling", standin.url, REGION).put_scheduled_action(
        ServiceNamespace="sagemaker", ResourceId="inference-component/shared-base",
        ScalableDimension="sagemaker:inference-component:DesiredCopyCount", ScheduledActionName="by-hand",
        Schedule="at(2199-01-01T00:00:00)", ScalableTargetAction={"MinCapacity": 1},
    )  # fmt: skip
    list(waited(make(standin, **{**ZERO, "MOST_COPIES": 3}).provision().update()))
    assert set(target_of(standin).actions) == {"by-hand"}, "only the portal's own are the plan's"
    assert target_of(standin).most == 3


def test_a_base_that_is_just_scaling_is_waited_for(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    list(waited(make(standin, **ZERO).provision().create()))
    base = standin.hosting.components.by_name["shared-base"]
    base.status, base.settles_at = "Updating", float("inf")
    said = []
    for line in make(standin, **ZERO, CPU_ADAPTERS=32).provision().update():
        said.append(line)
        if line.endswith("is Updating"):
            base.settles_at = 0.0
    assert said[0] == "The endpoint is Updating", "as it is while its base changes"
    assert "Changing the base component" in said


def test_deletion_leaves_nothing(standin: StandIn) -> None:
    changes = {**ZERO, "SCHEDULE": [DAY, NIGHT]}
    list(waited(make(standin, **changes).provision().create()))
    # Also when it is deleted by a plan that does not scale.
    assert "Removing autoscaling and alarms" in list(waited(make(standin).provision().delete()))
    hosting = standin.hosting
    assert not hosting.scaling.targets
    assert not hosting.alarms.by_name
    assert not hosting.components.by_name
    assert not hosting.endpoints.by_name


def test_the_status_says_how_it_scales(standin: StandIn, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = make(standin, **ZERO, SCHEDULE=[NIGHT], SCHEDULE_TIME_ZONE="Europe/Berlin", ALARM_TOPIC=TOPIC)
    monkeypatch.setitem(endpoints.built, "default", backend)

    def status() -> list[str]:
        out = StringIO()
        try:
            call_command("endpoint", "status", stdout=out)
        except CommandError as error:
            out.write(str(error))
        return out.getvalue().splitlines()

    assert status() == ["There is no such endpoint in AWS."]
    list(waited(backend.provision().create()))
    assert status() == [
        "In service: tiny-llama with 0 adapters.",
        "Copies: 0 to 4.",
        "Follows the load: 5 concurrent requests for each copy.",
        "A request that finds no copy starts one.",
        "Scheduled: 0 to 1 copies at cron(0 20 ? * MON-FRI *), Europe/Berlin (shared-night).",
        "Alarm shared-errors: INSUFFICIENT_DATA.",
        "Alarm shared-latency: INSUFFICIENT_DATA.",
        "Alarm shared-no-capacity: INSUFFICIENT_DATA.",
        "Alarm shared-wake: INSUFFICIENT_DATA.",
    ]
    target_of(standin).suspended["ScheduledScalingSuspended"] = True
    assert "Suspended in AWS: ScheduledScalingSuspended." in status()
    set_copies(standin, 0)
    said = status()
    assert said[0] == "Copies: 0 to 4."
    assert said[-1].startswith("The base model has scaled to zero copies. The next request starts one")
