"""The operator's pages of base models: what they show, what they refuse, and who opens them."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from adapters.base_models.services import add_base_model, note_findings
from adapters.models import Adapter, BaseModel, BaseModelWork, WorkState
from serving.endpoints.services import ensure_endpoint
from tenants.models import Tenant, User
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db

LIST = "/operator/base-models/"
HTML = "<script>alert(1)</script>"


@pytest.fixture
def small(uploaded: Path) -> BaseModel:
    return add_base_model(folder=uploaded, name="small", source="a wheel", description="Knows little.")


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer.status_code
    return " ".join(answer.content.decode().split())


def failed(**changes: Any) -> BaseModelWork:
    columns = {"kind": "add", "name": "broken", "source": "hf://maker/none", "state": WorkState.FAILED, **changes}
    work: BaseModelWork = BaseModelWork.objects.create(**columns)
    return work


def test_the_list_says_what_an_operator_needs(
    small: BaseModel, as_olga: Client, tenant: Tenant, other_tenant: Tenant, uploaded: Path
) -> None:
    for one in (tenant, other_tenant):
        with tenant_scope(one.id):
            Adapter.objects.create(tenant=one, name="triage", base_model=small)
    ensure_endpoint(name="shared", backend="default", base_model=small)
    page = text_of(as_olga, LIST)
    for fact in (
        "Small", "small", small.sha256[:12], str(uploaded), "2.0 million", "context 2,048", "Apache-2.0",
        "2 adapters", "1 endpoint", "Not checked", "to train", "to serve",
    ):  # fmt: skip
        assert fact in page, fact
    assert "Being added" not in page


def test_the_page_of_one_says_what_its_check_found(small: BaseModel, as_olga: Client) -> None:
    page = text_of(as_olga, f"{LIST}{small.id}/")
    for fact in (
        "Knows little.",
        small.sha256,
        "1,967,808",
        "a wheel",
        "not measured on it",
        "smallest that suffices: ml.g6.xlarge",
    ):
        assert fact in page, fact
    assert "Its files have not been checked." in page
    assert "none: it can’t be used there" in page
    found = [{"level": "wrong", "text": f"Bad {HTML}"}, {"level": "note", "text": "No tools."}]
    note_findings(base_model=small, findings=found)
    page = text_of(as_olga, f"{LIST}{small.id}/")
    assert "Bad &lt;script&gt;" in page
    assert "No tools." in page
    assert "Problems found" in text_of(as_olga, LIST)
    assert as_olga.get(f"{LIST}{small.id}/licence/").content == b"Apache License"


def test_a_check_that_failed_does_not_pass_for_what_the_one_before_found(small: BaseModel, as_olga: Client) -> None:
    note_findings(base_model=small, findings=[{"level": "ok", "text": "All is well."}])
    page = text_of(as_olga, f"{LIST}{small.id}/")
    assert "From the last completed check:" not in page
    failed = {"state": WorkState.FAILED, "error_text": "The server’s disk is full."}
    BaseModelWork.objects.create(kind="check", name="small", base_model=small, **failed)
    page = text_of(as_olga, f"{LIST}{small.id}/")
    assert page.index("The server’s disk is full.") < page.index("From the last completed check:")
    assert "Check again" in page
    listed = text_of(as_olga, LIST)
    assert "Check failed" in listed
    assert 'data-live="3"' not in listed
    BaseModelWork.objects.create(kind="check", name="small", base_model=small, state=WorkState.DONE)
    assert "Check failed" not in text_of(as_olga, LIST)


def test_one_is_added_by_the_form(site: Path, as_olga: Client, olga: User) -> None:
    sent = {"folder": "hf://maker/small@main", "name": "small", "licence": " MIT ", "training_instance": "ml.g5.xlarge"}
    assert as_olga.post(f"{LIST}new/", sent)["Location"] == LIST
    work = BaseModelWork.objects.get()
    assert (work.state, work.source, work.started_by) == (WorkState.WAITING, "hf://maker/small@main", olga)
    assert work.facts == {
        "title": "", "licence": "MIT", "description": "", "sagemaker_uri": "", "training_instance": "ml.g5.xlarge",
        "serving_instance": "",
    }  # fmt: skip
    page = text_of(as_olga, LIST)
    for words in ("Being added", "hf://maker/small@main", "Waiting", "Olga", 'data-live="3"'):
        assert words in page, words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"folder": ""}, "This field is required."),
        ({"folder": "ftp://host/model"}, "no address that is known here"),
        ({"folder": "hf://maker/small and more"}, "no address that is known here"),
        ({"folder": "/etc"}, "have to be in"),
        ({"folder": "../outside"}, "have to be in"),
        ({"folder": "."}, "have to be in"),
        ({"folder": "/etc/passwd.gguf"}, "have to be in"),
        ({"folder": "nowhere"}, "There is no such folder."),
        ({"folder": "nowhere.gguf"}, "There is no such file."),
        ({"folder": "hf://maker/sm\0all"}, "Null characters are not allowed."),
        ({"name": HTML}, "A name has letters"),
        ({"name": "n" * 51}, "at most 50 characters"),
        ({"licence": "L" * 201}, "at most 200 characters"),
        ({"licence": "MIT\u202e"}, "invisible character"),
        ({"title": "two\nlines"}, "a line break"),
        ({"sagemaker_uri": "/models/small"}, "Give the address of a folder in S3"),
        ({"sagemaker_uri": "s3://UPPER/x"}, "Give the address of a folder in S3"),
        ({"training_instance": "g5.xlarge"}, "Give a type of SageMaker instance"),
        ({"serving_instance": "ml.<b>"}, "Give a type of SageMaker instance"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_the_form_refuses_is_said_at_once(
    site: Path, as_olga: Client, changes: dict[str, str], words: str
) -> None:
    sent = {"folder": "hf://maker/small", "name": "small", **changes}
    answer = as_olga.post(f"{LIST}new/", sent)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert words in page
    assert HTML not in page
    assert not BaseModelWork.objects.exists()


def test_a_link_out_of_the_folder_is_no_way_to_the_disk(site: Path, as_olga: Client, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (site / "link").symlink_to(tmp_path / "secret")
    answer = as_olga.post(f"{LIST}new/", {"folder": "link", "name": "small"})
    assert "have to be in" in answer.content.decode()


def test_a_folder_of_the_settings_counts_too(
    site: Path, as_olga: Client, uploaded: Path, tmp_path: Path, settings: Settings
) -> None:
    elsewhere = uploaded.rename(tmp_path / "models")
    sent = {"folder": str(elsewhere), "name": "small"}
    assert "have to be in" in as_olga.post(f"{LIST}new/", sent).content.decode()
    settings.BASE_MODEL_FOLDERS = [str(tmp_path)]
    assert str(tmp_path) in text_of(as_olga, f"{LIST}new/")
    assert as_olga.post(f"{LIST}new/", sent).status_code == 302
    assert BaseModelWork.objects.get().source == str(elsewhere)


def test_a_name_that_is_taken_is_refused_at_its_field(small: BaseModel, as_olga: Client) -> None:
    page = as_olga.post(f"{LIST}new/", {"folder": "hf://maker/small", "name": "small"}).content.decode()
    assert "There is a base model called “small”." in page


def test_what_failed_says_why_and_can_be_tried_again_or_discarded(site: Path, as_olga: Client) -> None:
    work = failed(error_text=f"The hub has no {HTML}.", started_by=None)
    page = text_of(as_olga, LIST)
    assert "The hub has no &lt;script&gt;" in page
    assert "data-live" not in page.split("<main")[1]
    assert as_olga.post(f"{LIST}work/{work.id}/again/")["Location"] == LIST
    work.refresh_from_db()
    assert work.state == WorkState.WAITING
    as_olga.post(f"{LIST}work/{work.id}/discard/")
    assert "is being worked on" in text_of(as_olga, LIST)
    as_olga.post(f"{LIST}work/{work.id}/stop/")
    assert "Stopped" in text_of(as_olga, LIST)
    as_olga.post(f"{LIST}work/{work.id}/discard/")
    assert not BaseModelWork.objects.exists()
    assert as_olga.post(f"{LIST}work/{work.id}/again/").status_code == 404


def test_how_much_was_fetched_is_shown(site: Path, as_olga: Client) -> None:
    failed(state=WorkState.RUNNING, doing="Fetching", bytes_done=2 * 10**9, bytes_total=8 * 10**9)
    page = text_of(as_olga, LIST)
    assert 'value="25"' in page
    assert "1.9 GB of 7.5 GB" in page


def test_it_can_be_changed(small: BaseModel, as_olga: Client) -> None:
    url = f"{LIST}{small.id}/change/"
    assert 'value="Apache-2.0"' in as_olga.get(url).content.decode()
    sent = {"title": HTML, "licence": "MIT", "sagemaker_uri": "s3://models/small/", "serving_instance": "ml.g6.xlarge"}
    assert "Give the address" in as_olga.post(url, {**sent, "sagemaker_uri": "gs://x"}).content.decode()
    assert as_olga.post(url, sent)["Location"] == f"{LIST}{small.id}/"
    small.refresh_from_db()
    assert (small.title, small.licence, small.description) == (HTML, "MIT", "")
    page = text_of(as_olga, f"{LIST}{small.id}/")
    assert HTML not in page
    assert "s3://models/small/" in page
    assert HTML not in text_of(as_olga, LIST)
    as_olga.post(url, {**sent, "title": ""})
    small.refresh_from_db()
    assert small.title == "small", "it is called something"


def test_the_settings_location_of_the_sites_own_base_is_shown(
    small: BaseModel, as_olga: Client, settings: Settings
) -> None:
    options = settings.COMPUTE["default"]["OPTIONS"] | {"BASE_MODELS": {small.location: "s3://models/own/"}}
    settings.COMPUTE = {**settings.COMPUTE, "default": {**settings.COMPUTE["default"], "OPTIONS": options}}
    assert "s3://models/own/ <span" in text_of(as_olga, f"{LIST}{small.id}/")


def test_a_check_is_begun_shown_and_stopped(small: BaseModel, as_olga: Client) -> None:
    url = f"{LIST}{small.id}/"
    as_olga.post(f"{url}check/")
    work = BaseModelWork.objects.get()
    assert (work.kind, work.base_model) == ("check", small)
    page = text_of(as_olga, url)
    assert 'data-live="3"' in page
    assert "Checking" in text_of(as_olga, LIST)
    as_olga.post(f"{url}check/")
    assert "is being worked on" in text_of(as_olga, url)
    assert as_olga.post(f"{LIST}work/{work.id}/stop/")["Location"] == url
    polled = as_olga.get(url, headers={"HX-Request": "true"})
    assert polled["HX-Refresh"] == "true", "what was waited for is over"


def test_one_that_is_needed_is_not_removed(small: BaseModel, as_olga: Client, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        adapter = Adapter.objects.create(tenant=tenant, name="triage", base_model=small)
    url = f"{LIST}{small.id}/"
    assert as_olga.post(f"{url}remove/")["Location"] == url
    assert "is still needed by adapters" in text_of(as_olga, url)
    with tenant_scope(tenant.id):
        adapter.delete()
    assert as_olga.post(f"{url}remove/")["Location"] == LIST
    assert "Small removed." in text_of(as_olga, LIST)
    assert not BaseModel.objects.exists()
    assert as_olga.get(url).status_code == 404


def test_nobody_but_operators_finds_them(
    small: BaseModel, as_alice: Client, as_bob: Client, as_rita: Client, client: Client
) -> None:
    work = failed()
    one = f"{LIST}{small.id}/"
    reads = [LIST, f"{LIST}new/", one, f"{one}change/", f"{one}licence/"]
    writes = [f"{LIST}new/", *(f"{one}{verb}/" for verb in ("change", "check", "remove"))]
    writes += [f"{LIST}work/{work.id}/{verb}/" for verb in ("stop", "again", "discard")]
    for member in (as_alice, as_bob, as_rita):
        assert {member.get(url).status_code for url in reads} == {404}
        assert {member.post(url).status_code for url in writes} == {404}
    assert LIST not in as_alice.get("/").content.decode()
    assert {client.get(url).status_code for url in reads} == {302}
    work.refresh_from_db()
    assert (work.state, BaseModelWork.objects.count()) == (WorkState.FAILED, 1)


def test_the_list_asks_as_much_of_the_database_for_many(
    small: BaseModel, as_olga: Client, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        as_olga.get(LIST)
    for number in range(5):
        BaseModel.objects.create(name=f"more-{number}", title="More", location=small.location)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        as_olga.get(LIST)
