"""The pages of uploads: the list, the preview of a file, and the form without JavaScript."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from corpora.ingest.contracts import Inspection
from corpora.models import Dataset, DatasetVersion, Upload, UploadState, VersionState
from corpora.uploads.services import record_inspection
from jobs.models import Job
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.conftest import jsonl, pairs
from tests.corpora.stored import stored_version
from tests.corpora.uploads.uploading import begin, fields, format_page, send, whole

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TABLE = b"Eins;Zwei;Thema\n" + b"".join(f"question {i};answer {i};rent\n".encode() for i in range(30))
UPLOAD_PAGE = "/datasets/upload/"

Run = Callable[..., None]


def test_the_page_lists_what_is_not_finished_and_the_room(as_alice: Client, api: APIClient, in_tenant: Tenant) -> None:
    Tenant.objects.update(max_storage_bytes=4096)
    url = begin(api, 2048, name="Clauses")["Location"]
    send(api, url, b"x" * 1024, offset=0)
    page = as_alice.get(UPLOAD_PAGE).content.decode()
    assert "2.0\xa0KB of 4.0\xa0KB used" in page
    assert 'data-state="receiving"' in page
    assert "1.0\xa0KB of 2.0\xa0KB" in page
    assert f'data-upload="{Upload.objects.get().id}"' in page


def test_a_file_is_followed_until_its_version_is_checked(as_alice: Client, api: APIClient, in_tenant: Tenant) -> None:
    """After a refresh, the row still shows the check's progress bar, and disappears when the check ends."""
    whole(api, pairs(30), confirm="1")
    upload = Upload.objects.get()
    seen = Inspection(upload_sha256="0" * 64, bytes=upload.bytes, packed=False, file_format="jsonl")
    record_inspection(upload_id=upload.id, inspection=seen)
    Job.objects.filter(dataset_version__isnull=False).update(fraction=0.25)
    page = as_alice.get(UPLOAD_PAGE).content.decode()
    assert 'data-state="done"' in page
    assert 'value="0.2500"' in page
    assert f'href="{format_page(upload)}">' in page
    DatasetVersion.objects.update(state="ready")
    assert 'data-state="done"' not in as_alice.get(UPLOAD_PAGE).content.decode()


def test_a_file_of_the_wrong_kind_is_told_why_and_can_be_discarded(
    as_alice: Client, waiting: Callable[..., Upload]
) -> None:
    upload = waiting(b"%PDF-1.7\n" + bytes(400))
    page = as_alice.get(UPLOAD_PAGE).content.decode()
    assert "state-waiting state-red" in page
    (problem,) = upload.inspection["problems"]
    assert (problem["code"], problem["stops"]) == ("dataset:not_a_dataset", True)
    assert problem["text"] in page
    page = as_alice.get(format_page(upload)).content.decode()
    assert "Upload another file" in page
    assert 'name="use"' not in page
    assert reverse("corpora:upload-cancel", args=[upload.id]) in page
    assert "1 uploaded file" in as_alice.get("/datasets/").content.decode()


def test_the_page_asks_few_queries_however_many_uploads(
    as_alice: Client, in_tenant: Tenant, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    dataset = Dataset.objects.create(name="Clauses")
    for number in range(20):
        job = Job.objects.create(kind="dataset_check", fraction=number / 100)
        version = stored_version(dataset, [], state=VersionState.CHECKING, job=job)
        done = {"state": UploadState.DONE, "version": version}
        for changed in ({}, done):
            Upload.objects.create(file_name="rows.jsonl", bytes=5, key=f"tenants/x/{number}", **changed)
    with django_assert_max_num_queries(12):
        page = as_alice.get(UPLOAD_PAGE)
    assert page.status_code == 200
    assert page.content.decode().count('data-state="done"') == 20
    assert 'value="0.1900"' in page.content.decode()


def test_without_a_script_the_form_sends_one_file(as_alice: Client, in_tenant: Tenant) -> None:
    file = SimpleUploadedFile("ticket_rows.jsonl", pairs(3))
    answer = as_alice.post(UPLOAD_PAGE, {"file": file})
    version = DatasetVersion.objects.get()
    assert answer["Location"] == reverse("corpora:version", args=[version.id])
    assert version.dataset.name == "ticket rows"
    again = as_alice.post(UPLOAD_PAGE, {"file": SimpleUploadedFile("x.jsonl", pairs(3)), "name": "ticket rows"})
    assert "version 1 of “ticket rows”" in again.context["form"].errors["file"][0]


def test_a_known_layout_needs_one_click(as_alice: Client, waiting: Callable[..., Upload]) -> None:
    upload = waiting(pairs(30), name="Clauses")
    page = as_alice.get(format_page(upload)).content.decode()
    assert "JSONL (detected)" in page
    assert "question 0" in page
    assert "required for a new dataset" in page
    answer = as_alice.post(format_page(upload), fields(as_alice, upload, use="1"))
    version = DatasetVersion.objects.get()
    assert answer["Location"] == reverse("corpora:version", args=[version.id])
    assert (version.dataset.name, version.options["columns"]) == ("Clauses", {})
    assert as_alice.get(format_page(upload))["Location"] == answer["Location"]


def test_a_wide_table_shows_its_first_columns_and_offers_all(as_alice: Client, waiting: Callable[..., Upload]) -> None:
    header = [*(f"c{n}" for n in range(45)), "eins", "zwei"]
    upload = waiting((";".join(header) + "\n" + ";".join("v" * 47) + "\n").encode())
    form = as_alice.get(format_page(upload)).context["form"]
    assert form.sample_columns() == header[:40]
    assert [len(row) for row in form.sample_rows()] == [40]
    assert ("zwei", "zwei") in form.fields["column_completion"].choices


def test_names_that_no_database_takes_are_shown_all_the_same(as_alice: Client, waiting: Callable[..., Upload]) -> None:
    upload = waiting(jsonl(*({"prompt": f"q{n}", "completion": "a", "\0k": 1, "\ud800": 2} for n in range(9))))
    assert "�k" in as_alice.get(format_page(upload)).content.decode()
    as_alice.post(format_page(upload), fields(as_alice, upload, use="1"))
    assert DatasetVersion.objects.count() == 1


def test_columns_are_named_and_looked_at_again(as_alice: Client, waiting: Callable[..., Upload], run_jobs: Run) -> None:
    upload = waiting(TABLE)
    page = as_alice.get(format_page(upload)).content.decode()
    assert 'class="empty"' in page
    assert "Semicolon (detected)" in page
    changed = {"column_prompt": "eins", "column_completion": "zwei", "column_slice": "thema", "look": "1"}
    answer = as_alice.post(format_page(upload), fields(as_alice, upload, **changed))
    assert answer["Location"] == format_page(upload)
    assert 'id="looking"' in as_alice.get(format_page(upload)).content.decode()
    run_jobs()
    page = as_alice.get(format_page(upload)).content.decode()
    assert ('id="problems-title"' in page, 'class="empty"' in page) == (False, False)
    assert '<div class="bubble-text">answer 0</div>' in page
    as_alice.post(format_page(upload), fields(as_alice, upload, use="1", test_percent="25", personal_data="mask"))
    options = DatasetVersion.objects.get().options
    assert options["columns"] == {"prompt": "eins", "completion": "zwei", "slice": "thema"}
    assert (options["test_share"], options["personal_data"]) == (0.25, "mask")


def test_the_preview_opens_without_problems_before_a_column_is_chosen(
    as_alice: Client, waiting: Callable[..., Upload]
) -> None:
    for content in (TABLE, jsonl(*({"eins": f"q{n}", "zwei": "a"} for n in range(9)))):
        upload = waiting(content)
        page = as_alice.get(format_page(upload))
        assert upload.inspection["problems"]
        assert page.context["form"].problems() == []
        assert 'id="problems-title"' not in page.content.decode()
        assert 'name="use"' not in page.content.decode()
        refused = as_alice.post(format_page(upload), fields(as_alice, upload, use="1"))
        assert refused.context["form"].non_field_errors()
    assert not DatasetVersion.objects.exists()


def test_rows_with_problems_are_left_out_or_the_import_is_refused_at_once(
    as_alice: Client, waiting: Callable[..., Upload]
) -> None:
    upload = waiting(pairs(9) + jsonl({"prompt": "no answer"}))
    page = as_alice.get(format_page(upload)).content.decode()
    assert page.count('name="bad_rows"') == 1
    assert 'id="problems-title"' in page
    refused = as_alice.post(format_page(upload), fields(as_alice, upload, use="1", bad_rows=""))
    assert list(refused.context["form"].errors) == ["bad_rows"]
    as_alice.post(format_page(upload), fields(as_alice, upload, use="1"))
    assert DatasetVersion.objects.get().options["bad_rows"] == "leave_out"


def test_the_first_line_says_what_was_understood(as_alice: Client, waiting: Callable[..., Upload]) -> None:
    content = "Link;Question;Answer\n" + "".join(f"mail;Wo ist {n}?;Hier.\n" for n in range(70))
    upload = waiting(content.encode())
    form = as_alice.get(format_page(upload)).context["form"]
    assert form.facts() == ["rows.jsonl", "1.5\xa0KB", "CSV, semicolons", "70 rows"]
    assert (form.looks_like(), form.ignored()) == (
        "Looks like questions and answers.",
        "1 column is ignored: link.",
    )
    assert [field.field.is_guessed for field in form.needed_columns()] == [True, True]
    as_alice.post(format_page(upload), fields(as_alice, upload, use="1"))
    assert DatasetVersion.objects.get().options["columns"] == {}


def test_columns_to_keep_for_filtering_are_guessed_and_chosen(
    as_alice: Client, waiting: Callable[..., Upload], run_jobs: Run
) -> None:
    rows = ({"prompt": f"q {n}?", "completion": f"a {n}", "topic": "ab"[n % 2], "nr": f"N{n}"} for n in range(9))
    upload = waiting(jsonl(*rows))
    form = as_alice.get(format_page(upload)).context["form"]
    assert [value for value, _ in form.fields["metadata"].choices] == ["topic", "nr"]
    assert list(form["metadata"].value()) == ["topic"]
    sent = fields(as_alice, upload, use="1")
    assert sent["metadata"] == ["topic"]
    as_alice.post(format_page(upload), {**sent, "metadata": ["gone"]})
    assert not DatasetVersion.objects.exists()
    as_alice.post(format_page(upload), {**sent, "metadata": ["nr"]})
    version = DatasetVersion.objects.get()
    assert version.options["metadata"] == ["nr"]
    run_jobs()
    page = as_alice.get(f"/datasets/versions/{version.id}/").content.decode()
    assert "kept for filtering: nr" in page


def test_no_more_than_eight_columns_are_kept(as_alice: Client, waiting: Callable[..., Upload]) -> None:
    more = {f"c{number}": "x" for number in range(10)}
    upload = waiting(jsonl(*({"prompt": f"q {n}?", "completion": f"a {n}", **more} for n in range(9))))
    sent = fields(as_alice, upload, use="1")
    assert sent["metadata"] == [f"c{number}" for number in range(8)]
    refused = as_alice.post(format_page(upload), {**sent, "metadata": list(more)[:9]})
    assert "Choose up to 8 columns. Untick some." in refused.content.decode()


def test_columns_guessed_by_what_they_hold_are_confirmed_by_the_import(
    as_alice: Client, waiting: Callable[..., Upload], run_jobs: Run
) -> None:
    rows = ({"mensaje": f"¿Dónde está el paquete {n}?", "solución": f"El paquete {n} está aquí."} for n in range(9))
    upload = waiting(jsonl(*rows))
    page = as_alice.get(format_page(upload))
    assert page.content.decode().count(">guessed<") == 2
    assert upload.options["columns"] == {}
    as_alice.post(format_page(upload), fields(as_alice, upload, use="1"))
    run_jobs()
    version = DatasetVersion.objects.get()
    assert (version.state, version.row_count) == (VersionState.READY, 9)
    assert version.options["columns"] == {"prompt": "mensaje", "completion": "solución"}


def test_another_column_than_the_guessed_one_is_looked_at(
    as_alice: Client, waiting: Callable[..., Upload], run_jobs: Run
) -> None:
    rows = ({"a": f"¿Dónde está {n} ahora?", "b": f"El paquete {n} está aquí.", "c": f"nota {n}"} for n in range(9))
    upload = waiting(jsonl(*rows))
    as_alice.post(format_page(upload), fields(as_alice, upload, look="1", column_completion="c"))
    run_jobs()
    page = as_alice.get(format_page(upload)).content.decode()
    assert '<div class="bubble-text">nota 0</div>' in page
    assert ">guessed<" not in page


def test_preference_data_is_named_with_one_way_on(
    as_alice: Client, waiting: Callable[..., Upload], run_jobs: Run
) -> None:
    upload = waiting(jsonl(*({"prompt": f"q{n}", "chosen": "good", "rejected": "bad"} for n in range(9))))
    page = as_alice.get(format_page(upload)).content.decode()
    assert "This is preference data." in page
    assert ('name="use"' in page, 'id="problems-title"' in page) == (False, False)
    as_alice.post(format_page(upload), fields(as_alice, upload, look="chosen"))
    run_jobs()
    page = as_alice.get(format_page(upload)).content.decode()
    assert ('name="use"' in page, 'value="refuse"' in page) == (True, True)
    as_alice.post(format_page(upload), fields(as_alice, upload, use="1"))
    run_jobs()
    version = DatasetVersion.objects.get()
    assert (version.state, version.options["preferences"]) == (VersionState.READY, "chosen")


def test_reasoning_and_tools_are_named_only_where_there_are_some(
    as_alice: Client, waiting: Callable[..., Upload]
) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "reasoning_content": "hm"}]
    tool = {"type": "function", "function": {"name": "where", "parameters": {"type": "object", "properties": {}}}}
    form = as_alice.get(format_page(waiting(jsonl({"messages": turns, "tools": [tool]})))).context["form"]
    assert ("reasoning" in form.fields, form.uses_tools()) == (True, True)
    form = as_alice.get(format_page(waiting(pairs(3)))).context["form"]
    assert ("reasoning" in form.fields, form.uses_tools()) == (False, False)


def test_rows_without_prompts_or_labels_say_so(as_alice: Client, waiting: Callable[..., Upload]) -> None:
    empty = waiting(jsonl(*({"prompt": "", "completion": f"a{n}"} for n in range(4))))
    assert as_alice.get(format_page(empty)).context["form"].empty_prompts() == "4 of 4 rows"
    unlabelled = waiting(jsonl(*({"text": f"t{n}"} for n in range(4))))
    (problem, *_) = as_alice.get(format_page(unlabelled)).context["form"].problems()
    assert (problem["code"], problem["field"]) == ("dataset:missing_field", "label")


def test_the_clean_step_counts_the_first_rows(as_alice: Client, waiting: Callable[..., Upload]) -> None:
    mail = {"prompt": "Write to anna@example.com", "completion": "Done"}
    upload = waiting(pairs(9) + jsonl(mail, mail) + b"{broken\n")
    form = as_alice.get(format_page(upload)).context["form"]
    assert {part.field.name: part.note for part in form.cleaning()} == {
        "bad_rows": "1 of 12 rows",
        "personal_data": "e-mail addresses in 2 of 12 rows",
        "over_long": "none of 12 rows",
        "leaks": "known after the import",
        "near_leaks": "known after the import",
    }
    assert form.duplicates() == "1 of 12 rows"
    chosen = {"personal_data": "mask", "over_long": "leave_out", "leaks": "leave_out", "near_leaks": "leave_out"}
    as_alice.post(format_page(upload), fields(as_alice, upload, use="1", **chosen))
    options = DatasetVersion.objects.get().options
    assert {name: options[name] for name in chosen} == chosen


def test_a_file_that_cannot_be_read_on_is_offered_for_no_import(
    as_alice: Client, waiting: Callable[..., Upload], run_jobs: Run
) -> None:
    upload = waiting(b'prompt,completion\na,b\nc,"d\ne,f\n')
    assert upload.inspection["rows"]
    assert 'name="use"' not in as_alice.get(format_page(upload)).content.decode()
    answer = as_alice.post(format_page(upload), fields(as_alice, upload, look="1"))
    assert answer["Location"] == format_page(upload)


def test_a_file_whose_columns_are_unknown_can_be_looked_at_again(
    as_alice: Client, waiting: Callable[..., Upload], run_jobs: Run
) -> None:
    upload = waiting(b"a;b\n1;2\n3;4\n")
    as_alice.post(format_page(upload), fields(as_alice, upload, file_format="csv", look="1"))
    run_jobs()
    upload.refresh_from_db()
    assert (upload.state, upload.options["file_format"]) == (UploadState.WAITING, "csv")


def test_one_column_cannot_stand_for_two_things(as_alice: Client, waiting: Callable[..., Upload]) -> None:
    upload = waiting(TABLE)
    changed = {"column_prompt": "eins", "column_completion": "eins", "use": "1"}
    answer = as_alice.post(format_page(upload), fields(as_alice, upload, **changed))
    assert list(answer.context["form"].errors) == ["column_completion"]
    assert Upload.objects.get().state == UploadState.WAITING


def test_columns_of_another_layout_are_not_carried_over(
    as_alice: Client, waiting: Callable[..., Upload], run_jobs: Run
) -> None:
    upload = waiting(TABLE)
    changed = {"column_prompt": "eins", "column_completion": "zwei", "layout": "classification", "look": "1"}
    as_alice.post(format_page(upload), fields(as_alice, upload, **changed))
    run_jobs()
    upload.refresh_from_db()
    assert upload.options["columns"] == {}
    form = as_alice.get(format_page(upload)).context["form"]
    assert [field.name for field in form.needed_columns()] == ["column_text", "column_label"]


def test_a_file_for_a_dataset_of_ones_own(
    as_alice: Client, waiting: Callable[..., Upload], other_tenant: Tenant
) -> None:
    mine = Dataset.objects.create(name="Mine")
    with tenant_scope(other_tenant.id):
        theirs = Dataset.objects.create(name="Theirs")
    upload = waiting(pairs(30))
    refused = as_alice.post(format_page(upload), fields(as_alice, upload, dataset=str(theirs.id), use="1"))
    assert "not one of the available choices" in refused.content.decode()
    as_alice.post(format_page(upload), fields(as_alice, upload, dataset=str(mine.id), use="1"))
    assert DatasetVersion.objects.get().dataset == mine


def test_a_file_outlives_the_dataset_it_was_meant_for(
    as_alice: Client, waiting: Callable[..., Upload], in_tenant: Tenant
) -> None:
    dataset = Dataset.objects.create(name="Mine")
    upload = waiting(pairs(30), dataset=dataset.id)
    dataset.delete()
    as_alice.post(format_page(upload), fields(as_alice, upload, use="1"))
    version = DatasetVersion.objects.get()
    assert version.dataset.name == "rows"
    version.delete()
    assert as_alice.get(format_page(upload))["Location"] == reverse("corpora:list")


def test_the_same_file_is_said_so_on_the_page(as_alice: Client, waiting: Callable[..., Upload]) -> None:
    for content in (pairs(30), pairs(30)):
        upload = waiting(content, name="Clauses")
        answer = as_alice.post(format_page(upload), fields(as_alice, upload, use="1"))
    assert "version 1 of “Clauses”" in answer.context["form"].non_field_errors()[0]
    assert DatasetVersion.objects.count() == 1


def test_the_live_part_ends_with_the_look(as_alice: Client, api: APIClient, run_jobs: Run, in_tenant: Tenant) -> None:
    whole(api, pairs(30))
    live = reverse("corpora:upload-live", args=[Upload.objects.get().id])
    assert as_alice.get(live).status_code == 200
    run_jobs()
    ended = as_alice.get(live)
    assert (ended.status_code, ended["HX-Refresh"]) == (200, "true")


def test_cancelling_says_so(as_alice: Client, api: APIClient, in_tenant: Tenant) -> None:
    begin(api, 100)
    upload = Upload.objects.get()
    assert 'class="empty"' in as_alice.get(format_page(upload)).content.decode()
    page = as_alice.post(reverse("corpora:upload-cancel", args=[upload.id]), follow=True).content.decode()
    assert "“rows.jsonl” was cancelled" in page
    assert not Upload.objects.exists()


def test_a_reviewer_uploads_nothing(as_rita: Client, api: APIClient, in_tenant: Tenant) -> None:
    begin(api, 100)
    upload = Upload.objects.get()
    assert as_rita.get(UPLOAD_PAGE).status_code == 403
    assert as_rita.post(reverse("corpora:upload-cancel", args=[upload.id])).status_code == 403
    assert as_rita.delete(f"/api/v1/uploads/{upload.id}/").status_code == 403


def test_converted_text_is_shown_and_its_encoding_can_be_changed(
    as_alice: Client, waiting: Callable[..., Upload]
) -> None:
    upload = waiting("prompt,completion\nGröße?,42\nFarbe?,rot\n".encode("cp1252"))
    page = as_alice.get(format_page(upload)).content.decode()
    assert "Windows-1252 (Western European) (detected)" in page
    assert re.search(r'data-testid="converted".*Line 2:</span> Größe\?,42', page, re.DOTALL)
    assert upload.inspection["warnings"][0]["text"] in page


def test_a_json_document_is_shown_by_its_rows(as_alice: Client, waiting: Callable[..., Upload]) -> None:
    rows = [{"prompt": "q", "completion": "a"}, {"prompt": "q", "completion": ""}]
    upload = waiting(json.dumps({"data": rows}, indent=1).encode())
    page = as_alice.get(format_page(upload)).content.decode()
    assert "JSON (detected)" in page
    assert "Row 2" in page
    assert 'name="delimiter"' not in page
