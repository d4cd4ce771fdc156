from collections.abc import Callable

import pytest
from django.test import Client

from corpora.models import DatasetVersion, Upload
from tests.corpora.conftest import jsonl
from tests.corpora.uploads.uploading import fields, format_page

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

Run = Callable[..., None]
Waiting = Callable[..., Upload]


def rows(count: int, **more: str) -> bytes:
    return jsonl(*({"prompt": f"question {n}", "completion": "answer"} | more for n in range(count)))


@pytest.mark.parametrize(("count", "percent"), [(9, "25"), (30, "25"), (45, "23"), (50, "20"), (99, "11"), (100, "10")])
def test_a_small_file_is_suggested_to_hold_out_more(
    count: int, percent: str, as_alice: Client, waiting: Waiting
) -> None:
    form = as_alice.get(format_page(waiting(rows(count)))).context["form"]
    assert form["test_percent"].value() == percent
    assert form.has_choices() == (count < 100)
    assert ("Suggested because the file is small" in form["test_percent"].help_text) == (count < 100)


def test_the_suggestion_is_imported_as_it_is_shown(as_alice: Client, waiting: Waiting, run_jobs: Run) -> None:
    upload = waiting(rows(60))
    as_alice.post(format_page(upload), fields(as_alice, upload, use="1"))
    run_jobs()
    version = DatasetVersion.objects.get()
    assert version.options["test_share"] == 0.17
    assert version.test_count >= 5


def test_another_share_stays_when_the_file_is_looked_at_again(
    as_alice: Client, waiting: Waiting, run_jobs: Run
) -> None:
    upload = waiting(rows(30))
    as_alice.post(format_page(upload), fields(as_alice, upload, look="1", test_percent="40"))
    run_jobs()
    form = as_alice.get(format_page(upload)).context["form"]
    assert form["test_percent"].value() == "40"
    assert "Suggested" not in form["test_percent"].help_text


def test_the_share_of_the_last_version_stays(as_alice: Client, waiting: Waiting, run_jobs: Run) -> None:
    first = waiting(rows(30), dataset_name="Questions")
    as_alice.post(format_page(first), fields(as_alice, first, use="1", test_percent="10"))
    run_jobs()
    again = waiting(rows(31), dataset_name="Questions")
    assert as_alice.get(format_page(again)).context["form"]["test_percent"].value() == "10"


def test_a_file_that_names_its_split_is_left_alone(as_alice: Client, waiting: Waiting) -> None:
    upload = waiting(rows(30, split="train"))
    assert as_alice.get(format_page(upload)).context["form"]["test_percent"].value() == "10"
