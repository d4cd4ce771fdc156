"""A name is one line of visible characters, whatever it names and wherever it is entered."""

from base64 import b64encode
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from corpora.models import Dataset, DatasetVersion, Upload
from corpora.uploads.services import name_after
from corpora.versions.services import shown_name
from rest.names import InvalidName, check_name, visible
from tenants.models import ApiKey, Tenant
from tenants.scope import tenant_scope
from tests.portal.addresses import FILE, TRAINING
from tests.portal.asking import ask, filled

HOSTILE = ("two\nlines", "two\u2028lines", "bell\x07", "moc.\u202etxt", "a\u2066b", "a\u200fb", "del\x7f")
NAME = "moc.\u202etxt"
CODE = "name:invalid_character"
ADAPTER_CODE = "adapter:bad_name"

FORMS: dict[str, tuple[str, type[Model] | None, dict[str, Any]]] = {
    "an upload": ("corpora:upload", None, {"file": FILE, "name": NAME}),
    "an import": (
        "corpora:upload-format",
        Upload,
        {"dataset": "", "name": NAME, "file_format": "jsonl", "delimiter": ",", "encoding": "ours", "layout": "chat"},
    ),
    "a dataset": ("corpora:edit", Dataset, {"name": NAME}),
    "an API key": ("keys", None, {"name": NAME}),
    "an adapter": ("adapters:train", None, {**TRAINING, "adapter": NAME}),
}
CALLS: dict[str, tuple[str, str, type[Model] | None, dict[str, Any], str]] = {
    "a dataset": ("POST", "dataset-list", None, {"file": FILE, "name": NAME}, CODE),
    "a renamed dataset": ("PATCH", "dataset-detail", Dataset, {"name": NAME}, CODE),
    "an upload": ("POST", "upload-list", None, {"file_name": "rows.jsonl", "bytes": 9, "name": NAME}, CODE),
    "an import": ("POST", "upload-confirm", Upload, {"name": NAME}, CODE),
    "a training": ("POST", "training-run-list", None, {**TRAINING, "adapter": NAME}, ADAPTER_CODE),
    "a sweep": ("POST", "sweep-list", None, {**TRAINING, "adapter": NAME, "grid": {"rank": [8, 16]}}, ADAPTER_CODE),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_reads_as_another_is_refused_and_a_machines_is_cleaned(name: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_name(name, field="title")
    assert (caught.value.code, caught.value.field) == (CODE, "title")
    assert check_name(visible(name)) == visible(name).strip()
    assert visible(shown_name(f"{name}.csv")) == shown_name(f"{name}.csv")
    assert visible(name_after(f"{name}.csv")) == name_after(f"{name}.csv")


@pytest.mark.parametrize("name", ["Küche & Bad", "条款", "نامه‌ها", "👩‍⚖️ law", " spaces around "])
def test_a_name_in_any_script_is_kept(name: str) -> None:
    assert check_name(name) == name.strip()


@pytest.mark.parametrize("what", FORMS)
def test_a_page_says_so_at_the_field(
    what: str, tenant: Tenant, world: dict[type[Model], Model], as_alice: Client
) -> None:
    address, row, sent = FORMS[what]
    url = reverse(address, args=[world[row].pk] if row else [])
    known = {key: value for key, value in as_alice.get(url).context["form"].initial.items() if value is not None}
    answer = as_alice.post(url, known | filled(sent, world))
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == ["adapter" if "adapter" in sent else "name"]
    _nothing_is_called_so(tenant)


@pytest.mark.parametrize("what", CALLS)
def test_rest_says_so_with_a_code(what: str, tenant: Tenant, world: dict[type[Model], Model], as_alice: Client) -> None:
    method, address, row, sent, code = CALLS[what]
    url = reverse(address, args=[world[row].pk] if row else [])
    answer = ask(as_alice, method, url, filled(sent, world))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    _nothing_is_called_so(tenant)


def test_a_resumable_upload_says_so_too(tenant: Tenant, as_alice: Client) -> None:
    said = ",".join(
        f"{key} {b64encode(value.encode()).decode()}" for key, value in {"filename": "a.csv", "name": NAME}.items()
    )
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": said}
    answer = as_alice.post(reverse("upload-list"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, CODE)
    _nothing_is_called_so(tenant)


def _nothing_is_called_so(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert not Dataset.objects.filter(name=NAME).exists()
        assert not Upload.objects.filter(dataset_name=NAME).exists()
        assert not ApiKey.objects.filter(name=NAME).exists()
        assert DatasetVersion.objects.count() <= 1


@pytest.mark.parametrize(
    "name", ["ticket_rows.jsonl", "ticket_rows.jsonl.zst", "ticket_rows.csv.GZ", "ticket_rows.zip"]
)
def test_a_dataset_is_not_named_after_how_its_file_was_packed(name: str) -> None:
    assert name_after(name) == "ticket rows"
