"""Import options sent with the file in one request."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.corpora.datasets.test_dataset_api import DATASETS, VERSIONS, problem, send

pytestmark = pytest.mark.django_db

QUERIES = b"".join(b'{"query": "q%d", "response": "r%d"}\n' % (number, number) for number in range(30))
COLUMNS = {"columns": {"prompt": "query", "completion": "response"}}


def test_columns_are_read_by_their_options(api: APIClient, run_jobs: Callable[..., None]) -> None:
    dataset = send(api, QUERIES, name="Support", options=json.dumps(COLUMNS)).json()
    assert dataset["version"]["options"]["columns"] == COLUMNS["columns"]
    run_jobs()
    assert api.get(f"{VERSIONS}{dataset['version']['id']}/").json()["state"] == "ready"
    masked = json.dumps({**COLUMNS, "personal_data": "mask"})
    answer = send(api, QUERIES, path=f"{DATASETS}{dataset['id']}/versions/", options=masked)
    assert (answer.status_code, answer.json()["number"]) == (201, 2)
    assert answer.json()["options"]["personal_data"] == "mask"


def test_columns_are_kept_by_their_names(api: APIClient, run_jobs: Callable[..., None]) -> None:
    rows = b"".join(b'{"query": "q%d", "response": "r%d", "nr": %d}\n' % (n, n, n) for n in range(30))
    options = json.dumps({**COLUMNS, "metadata": ["nr", "nr"]})
    version = send(api, rows, name="Support", options=options).json()["version"]
    assert version["options"]["metadata"] == ["nr"]
    run_jobs()
    found = api.get(f"{VERSIONS}{version['id']}/rows/").json()["rows"]
    assert all(one["metadata"] == {"nr": one["messages"][0]["content"][1:]} for one in found)
    exported = api.get(f"{VERSIONS}{version['id']}/export/").getvalue().splitlines()
    assert json.loads(exported[0])["metadata"] == found[0]["metadata"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"colums": {}}, "options.colums"),
        ({"bad_rows": "maybe"}, "options.bad_rows"),
        ({"columns": {"question": "query"}}, "options.columns"),
        ({"seed": -1}, "options.seed"),
        ({"delimiter": "\n"}, "options.delimiter"),
        ({"delimiter": '"'}, "options.delimiter"),
        ({"columns": {"prompt": "q" * 1_001}}, "options.columns"),
        ({"columns": {"prompt": "query", "completion": "query"}}, "options.columns"),
        ({"metadata": [f"c{number}" for number in range(9)]}, "options.metadata"),
        ({"metadata": ["a\0"]}, "options.metadata"),
        ({"metadata": [""]}, "options.metadata"),
        ({"metadata": "topic"}, "options.metadata"),
    ],
)
def test_a_wrong_option_is_named(api: APIClient, options: dict[str, Any], field: str) -> None:
    answer = send(api, QUERIES, name="Support", options=json.dumps(options))
    assert problem(answer) == (400, "dataset:wrong_option")
    assert answer.json()["field"] == field
    assert api.get(DATASETS).json()["results"] == []


@pytest.mark.parametrize("options", ["{", "[]", "1", '"x"', "null", "[" * 100_000, '{"seed": NaN}'])
def test_what_is_no_json_object_is_refused(api: APIClient, options: str) -> None:
    answer = send(api, QUERIES, name="Support", options=options)
    assert problem(answer) == (400, "request:invalid")
    assert answer.json()["errors"][0]["field"] == "options"


def test_a_wrong_choice_is_answered_with_the_right_ones(api: APIClient) -> None:
    answer = send(api, QUERIES, name="Support", options=json.dumps({"layout": "alpaca"}))
    assert "Use one of chat, ShareGPT, exchanges, transcript, prompt and completion" in answer.json()["title"]


def test_an_option_outside_of_the_options_is_not_dropped(api: APIClient) -> None:
    answer = send(api, QUERIES, name="Support", columns=json.dumps(COLUMNS["columns"]))
    assert problem(answer) == (400, "request:invalid")
    assert answer.json()["errors"][0]["field"] == "columns"
    assert "inside “options”" in answer.json()["errors"][0]["detail"]


def test_options_that_are_sent_twice_are_refused(api: APIClient) -> None:
    answer = send(api, QUERIES, name="Support", options=["{}", json.dumps(COLUMNS)])
    assert problem(answer) == (400, "request:invalid")
    assert answer.json()["errors"][0]["field"] == "options"
    assert api.get(DATASETS).json()["results"] == []
