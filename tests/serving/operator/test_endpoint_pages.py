"""What the operator sees of endpoints, and adds, changes and deletes."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from adapters.models import BaseModel
from serving.backends import endpoints
from serving.backends.alarms import AlarmState
from serving.endpoints.provisioning import advance
from serving.endpoints.services import create_endpoint
from serving.models import Deployment, Endpoint, EndpointAlarm, EndpointState
from tenants.models import Tenant
from tenants.scope import system_scope
from tests.serving.operator.conftest import CLOUD, HERE

pytestmark = pytest.mark.django_db

LIST = "/operator/endpoints/"
Promoted = Callable[[Tenant, str, int], None]

NEW = {"name": "eu-2", "base_model": "tiny-llama"}
SERVER = {**NEW, "URL": "http://10.0.0.2:8000", "URLS": "", "MAX_RANK": 64, "PRICE_USD_PER_HOUR": 0.0,
          "PRICE_SOURCE": ""}  # fmt: skip
IN_CLOUD = {**NEW, "INSTANCE_TYPE": "g6e", "MAX_RANK": 32, "CPU_ADAPTERS": 4, "PRICE_USD_PER_HOUR": 1.5,
            "PRICE_SOURCE": "Price list of the cloud"}  # fmt: skip


def page_of(client: Client, endpoint: Endpoint, part: str = "") -> str:
    return client.get(f"{LIST}{endpoint.id}/{part}").content.decode()


def add(client: Client, alias: str, **sent: object) -> str:
    return client.post(f"{LIST}new/?alias={alias}", sent).content.decode()


def error_of(page: str, field: str) -> str:
    """The text at a field of a form."""
    return page.split(f'id="id_{field}_error"')[1].split("</div>")[0] if f'id="id_{field}_error"' in page else ""


def test_the_list_says_what_is_where_and_what_it_costs(
    as_olga: Client, tenant: Tenant, other_tenant: Tenant, promoted: Promoted, eu: Endpoint,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    for owner, name, seed in ((tenant, "legal", 1), (tenant, "legal", 2), (other_tenant, "tickets", 3)):
        promoted(owner, name, seed)
    with django_assert_max_num_queries(11):
        page = as_olga.get(LIST).content.decode()
    first, second = page.split('data-testid="endpoint"')[1:]
    assert "eu-2" in first
    assert "$1.50 per hour" in first
    assert "$1,095" in first
    assert "Price list of the cloud" in first
    assert "Default" not in first
    assert 'data-label="Live adapters">2 <span class="text-secondary">of 3 loaded' in second
    assert 'data-label="Organisations">2<' in second
    assert "Default" in second
    assert "data-live" not in page
    Endpoint.objects.filter(id=eu.id).update(state=EndpointState.CREATING, doing="Waiting for a machine")
    page = as_olga.get(LIST).content.decode()
    assert 'id="endpoints" class="card" data-live="4"' in page
    assert "Waiting for a machine" in page


def test_without_any_it_says_what_to_do(as_olga: Client, site: None) -> None:
    assert "Nothing can be promoted until there is one" in as_olga.get(LIST).content.decode()


def test_the_form_has_the_options_of_where_it_runs(as_olga: Client, shared: Endpoint) -> None:
    here, cloud = (as_olga.get(f"{LIST}new/?alias={alias}").content.decode() for alias in (HERE, CLOUD))
    assert 'name="URL" value="http://10.0.0.1:8000"' in here
    assert "Instance type" not in here
    assert 'name="INSTANCE_TYPE" value="g6e"' in cloud
    assert '<option value="64" selected>' in cloud
    assert 'value="Price list of the cloud"' in cloud
    assert as_olga.get(f"{LIST}new/?alias=nowhere").status_code == 404


def test_one_in_the_cloud_is_made_once_its_price_was_seen(as_olga: Client, shared: Endpoint) -> None:
    review = add(as_olga, CLOUD, **IN_CLOUD)
    assert "<strong>$1.50 per hour</strong>, about <strong>$1,095 per month</strong>" in review
    assert "Source: Price list of the cloud." in review
    assert Endpoint.objects.count() == 1
    back = add(as_olga, CLOUD, **IN_CLOUD, step="edit")
    assert 'name="name" value="eu-2"' in back
    assert '<option value="32" selected>' in back
    assert Endpoint.objects.count() == 1
    add(as_olga, CLOUD, **IN_CLOUD, step="confirm")
    made = Endpoint.objects.get(name="eu-2")
    assert (made.state, made.options) == (EndpointState.CREATING, {"MAX_RANK": 32})
    assert "There is an endpoint called eu-2" in error_of(add(as_olga, CLOUD, **IN_CLOUD, step="confirm"), "name")


def test_one_without_a_price_says_so(as_olga: Client, shared: Endpoint) -> None:
    review = add(as_olga, CLOUD, **{**IN_CLOUD, "PRICE_USD_PER_HOUR": 0, "PRICE_SOURCE": ""})
    assert "No price is known" in review


def test_a_server_is_asked_before_it_is_added(as_olga: Client, shared: Endpoint) -> None:
    assert "The server responds with the base model <code>tiny-llama</code>" in add(as_olga, HERE, **SERVER)
    assert "It is away. You can add it anyway" in add(as_olga, HERE, **{**SERVER, "URL": "http://away:8000"})
    other = BaseModel.objects.create(name="other-llama", title="Other", location="other")
    assert "but this endpoint is for <code>other-llama</code>" in add(
        as_olga, HERE, **{**SERVER, "base_model": other.name}
    )
    add(as_olga, HERE, **SERVER, step="confirm")
    made = Endpoint.objects.get(name="eu-2")
    assert (made.state, made.options) == (EndpointState.IN_SERVICE, {"URL": "http://10.0.0.2:8000"})
    several = {**SERVER, "name": "several", "URL": "", "URLS": "http://10.0.0.3:8000, http://10.0.0.4:8000"}
    add(as_olga, HERE, **several, step="confirm")
    made = Endpoint.objects.get(name="several")
    assert made.options == {"URL": "", "URLS": ["http://10.0.0.3:8000", "http://10.0.0.4:8000"]}
    assert "http://10.0.0.3:8000, http://10.0.0.4:8000" in page_of(as_olga, made)
    assert 'value="http://10.0.0.3:8000 http://10.0.0.4:8000"' in page_of(as_olga, made, "change/")


@pytest.mark.parametrize(
    ("alias", "sent", "field", "said"),
    [
        (CLOUD, {"name": "Two Words"}, "name", "lower-case letters"),
        (CLOUD, {"name": "shared"}, "name", "There is an endpoint called shared"),
        (CLOUD, {"name": ""}, "name", "This field is required"),
        (CLOUD, {"base_model": "none"}, "base_model", "Select a valid choice"),
        (CLOUD, {"MAX_RANK": 20}, "MAX_RANK", "Select a valid choice"),
        (CLOUD, {"CPU_ADAPTERS": 0}, "CPU_ADAPTERS", "“Adapters in memory” must be at least 1"),
        (CLOUD, {"CPU_ADAPTERS": "9" * 30}, "CPU_ADAPTERS", "less than or equal to"),
        (CLOUD, {"PRICE_USD_PER_HOUR": "NaN"}, "PRICE_USD_PER_HOUR", "Enter a number"),
        (CLOUD, {"INSTANCE_TYPE": "x" * 501}, "INSTANCE_TYPE", "at most 500 characters"),
        (HERE, {"URL": ""}, "URL", "needs the option “Address”"),
        (HERE, {"URL": "http://10.0.0.1:8000"}, "URL", "shared is on this server already"),
        (HERE, {"URL": "http://10.0.0.1:8000", "MAX_RANK": 8}, "URL", "shared is on this server already"),
    ],
)
@pytest.mark.parametrize("step", ["", "confirm"])
def test_what_is_wrong_is_said_at_its_field(
    as_olga: Client, shared: Endpoint, alias: str, sent: dict[str, object], field: str, said: str, step: str
) -> None:
    page = add(as_olga, alias, **{**(SERVER if alias == HERE else IN_CLOUD), **sent, "step": step})
    assert said in error_of(page, field)
    assert Endpoint.objects.count() == 1


def test_its_page_asks_the_endpoint_only_afterwards(
    as_olga: Client, eu: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = endpoints.of(eu.backend, eu.options)
    monkeypatch.setattr(backend, "health", lambda: pytest.fail("the page waited for the endpoint"))
    page = page_of(as_olga, eu)
    assert f'data-live="0" hx-get="{LIST}{eu.id}/health/"' in page
    for fact in ("Tiny Llama", "The cloud", "g6e", "$1.50", "$1,095", "Source of the price: Price list of the cloud."):
        assert fact in page
    assert "0 of 4</span>" in page.split('data-testid="slots"')[1]
    monkeypatch.undo()


def test_health_says_whether_it_answers_and_how_it_scales(as_olga: Client, shared: Endpoint, eu: Endpoint) -> None:
    part = page_of(as_olga, eu, "health/")
    assert "Available" in part
    assert "1 copy, between 1 and 2." in part
    away = create_endpoint(name="away", backend=HERE, base_model=shared.base_model, options={"URL": "http://away:8000"})
    part = page_of(as_olga, away, "health/")
    assert "Unavailable" in part
    assert "It is away." in part


def test_one_that_the_settings_no_longer_describe_is_still_shown(as_olga: Client, shared: Endpoint) -> None:
    Endpoint.objects.update(backend="gone")
    assert "Missing from the settings" in as_olga.get(LIST).content.decode()
    assert "no longer fit this endpoint" in page_of(as_olga, shared)
    assert "The settings don’t fit it any more" in page_of(as_olga, shared, "health/")
    assert as_olga.get(f"{LIST}{shared.id}/change/").status_code == 404


def test_it_is_changed_once_that_was_confirmed(as_olga: Client, eu: Endpoint) -> None:
    url = f"{LIST}{eu.id}/change/"
    assert '<option value="32" selected>' in as_olga.get(url).content.decode()
    sent = {key: value for key, value in IN_CLOUD.items() if key not in NEW} | {"MAX_RANK": 64, "CPU_ADAPTERS": 8}
    assert "It costs <strong>$1.50 per hour" in as_olga.post(url, sent).content.decode()
    assert "“Adapters in memory” must" in error_of(
        as_olga.post(url, {**sent, "CPU_ADAPTERS": 0}).content.decode(), "CPU_ADAPTERS"
    )
    eu.refresh_from_db()
    assert eu.options == {"MAX_RANK": 32}
    assert as_olga.post(url, {**sent, "step": "confirm"})["Location"] == f"{LIST}{eu.id}/"
    eu.refresh_from_db()
    assert (eu.state, eu.options) == (EndpointState.CHANGING, {"CPU_ADAPTERS": 8})
    assert "eu-2 is changing now" in as_olga.post(url, {**sent, "step": "confirm"}).content.decode()
    assert 'data-live="3"' in page_of(as_olga, eu)


def test_one_that_failed_says_why_and_is_tried_again(as_olga: Client, eu: Endpoint) -> None:
    Endpoint.objects.filter(id=eu.id).update(state=EndpointState.FAILED, error_text="No machine of this type is free.")
    page = page_of(as_olga, eu)
    assert "No machine of this type is free." in page
    assert "Create again" in page
    assert 'id="health"' not in page
    as_olga.post(f"{LIST}{eu.id}/create-again/")
    eu.refresh_from_db()
    assert eu.state == EndpointState.CREATING
    assert "eu-2 is creating now" in as_olga.post(f"{LIST}{eu.id}/create-again/", follow=True).content.decode()


def test_another_becomes_the_default(as_olga: Client, shared: Endpoint, eu: Endpoint) -> None:
    assert "Make default" not in page_of(as_olga, shared)
    assert "Make default" in page_of(as_olga, eu)
    as_olga.post(f"{LIST}{eu.id}/default/")
    assert Endpoint.objects.get(is_default=True) == eu


def test_one_with_live_adapters_is_not_deleted(
    as_olga: Client, tenant: Tenant, shared: Endpoint, promoted: Promoted
) -> None:
    promoted(tenant, "legal", 1)
    dialog = page_of(as_olga, shared).split('id="delete-endpoint"')[1]
    assert "1 adapter is live on it. Move the organisations" in dialog
    answer = as_olga.post(f"{LIST}{shared.id}/delete/", {"name": "shared"}, follow=True)
    assert "1 adapter is live on shared" in answer.content.decode()
    shared.refresh_from_db()
    assert shared.state == EndpointState.IN_SERVICE


def test_one_where_adapters_drain_is_deleted_by_its_name(
    as_olga: Client, tenant: Tenant, shared: Endpoint, eu: Endpoint, promoted: Promoted,
    run_jobs: Callable[..., None],
) -> None:  # fmt: skip
    promoted(tenant, "legal", 1)
    as_olga.post(f"{LIST}{shared.id}/move/", {"tenant": tenant.id, "to": eu.id})
    run_jobs()
    assert "Type <strong>shared</strong> to confirm" in page_of(as_olga, shared)
    for typed in ("", "eu-2", "Shared"):
        answer = as_olga.post(f"{LIST}{shared.id}/delete/", {"name": typed}, follow=True)
        assert "Nothing was deleted. Type shared to confirm." in answer.content.decode()
    as_olga.post(f"{LIST}{shared.id}/delete/", {"name": "shared"})
    shared.refresh_from_db()
    assert shared.state == EndpointState.DELETING
    advance(shared)
    assert "This endpoint was deleted" in page_of(as_olga, shared)
    assert str(shared.id) not in as_olga.get(LIST).content.decode()
    with system_scope():
        assert set(Deployment.objects.live().values_list("endpoint__name", flat=True)) == {"eu-2"}


def test_adapters_are_listed_in_the_order_asked_for(
    as_olga: Client, tenant: Tenant, other_tenant: Tenant, shared: Endpoint, promoted: Promoted,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    assert "No adapters here" in page_of(as_olga, shared, "adapters/")
    for owner, name, seed in ((tenant, "legal", 1), (tenant, "legal", 2), (other_tenant, "contracts", 3)):
        promoted(owner, name, seed)
    with django_assert_max_num_queries(8):
        rows = page_of(as_olga, shared, "adapters/").split('data-testid="adapter"')[1:]
    assert ["Alder Law" in row for row in rows] == [True, True, False]
    assert ["Live" in row for row in rows] == [True, False, True]
    assert "Draining" in rows[1]
    assert 'data-label="Drains until"' in rows[1]
    rows = page_of(as_olga, shared, "adapters/?sort=model").split('data-testid="adapter"')[1:]
    assert "contracts" in rows[0]
    assert len(page_of(as_olga, shared, "adapters/?sort=nonsense").split('data-testid="adapter"')) == 4


def test_alarms_of_the_cloud_are_shown_the_urgent_ones_first(as_olga: Client, eu: Endpoint, shared: Endpoint) -> None:
    assert 'id="alarms-title"' not in page_of(as_olga, eu)
    now = timezone.now()
    for name, text, state in (
        ("eu-2-errors", "It answers with errors.", AlarmState.OK),
        ("eu-2-latency", "Answers take <too> long.", AlarmState.ALARM),
        ("eu-2-no-capacity", "No copy.", AlarmState.NO_DATA),
    ):
        EndpointAlarm.objects.create(endpoint=eu, name=name, text=text, state=state.value, since=now, read_at=now)
    page = page_of(as_olga, eu)
    rows = page.split('data-testid="alarm"')[1:]
    assert "Answers take &lt;too&gt; long." in rows[0]
    assert "eu-2-latency" in rows[0]
    assert [word for row in rows for word in ("Not enough data", "OK", "Alarm") if f"{word}</span>" in row] == [
        "Alarm", "OK", "Not enough data"
    ]  # fmt: skip
    assert "As The cloud reported" in page
    first, second = as_olga.get(LIST).content.decode().split('data-testid="endpoint"')[1:]
    assert "1 alarm<" in first
    assert "alarm<" not in second
    assert 'id="alarms-title"' not in page_of(as_olga, shared)
