"""How similar an evaluation's rows are to the training rows: kept, in thirds, named, in the grid, and in downloads."""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import cos, radians
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from corpora.models import Dataset
from evaluations.metrics.encoders import Encoder, Vectors, encoders
from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState
from evaluations.runs.services import start_evaluation
from evaluations.runs.stages.likeness import LONGEST, parts_by_likeness
from storage.objects import read_range
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.stored import chat, stored_version
from tests.evaluations.alternatives.sample import conversation
from tests.evaluations.conftest import Respond, good_adapter

Evaluate = Callable[..., EvaluationRun]

ROWS = 60
TRAINED_ON = [conversation("at 0 degrees", "north", number=100), conversation("at 180 degrees", "south", number=101)]


class Compass(Encoder):
    """A question has the direction that it names, and an answer none of these."""

    model = "compass"

    def embed(self, texts: Sequence[str]) -> Vectors:
        angles = np.radians([float(text.split()[1]) if text.startswith("at ") else 270 for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.fixture
def with_encoder(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ENCODERS = {"default": {"BACKEND": "unused", "OPTIONS": {}}}
    monkeypatch.setattr(encoders, "built", {"default": Compass("default", {})})


@pytest.fixture
def trained(make_version: Callable[..., AdapterVersion]) -> AdapterVersion:
    """Its rows turn away from the training rows degree by degree."""
    rows = [conversation(f"at {number} degrees", f"reading {number}", number=number) for number in range(1, ROWS + 1)]
    return make_version(training=TRAINED_ON, held_out=rows)


@pytest.fixture
def evaluate(in_tenant: Tenant, answer_with: Callable[[Respond], None], run_jobs: Callable[..., None]) -> Evaluate:
    def call(version: AdapterVersion) -> EvaluationRun:
        answer_with(good_adapter)
        run = start_evaluation(tenant=in_tenant, version=version)
        run_jobs()
        found: EvaluationRun = EvaluationRun.objects.select_related("job", "version__run").get(id=run.id)
        assert found.state == EvaluationState.READY, found.job.error_text
        return found

    return call


def by_prompt(run: EvaluationRun) -> dict[str, EvaluationItem]:
    return {item.messages[0]["content"]: item for item in run.items.all()}


def page_of(client: Client, name: str, run: EvaluationRun, **query: str) -> str:
    response: Any = client.get(reverse(f"evaluations:{name}", args=[run.id]), query)
    return b"".join(response).decode()


@pytest.mark.usefixtures("with_encoder")
def test_rows_keep_how_similar_the_nearest_training_row_is(evaluate: Evaluate, trained: AdapterVersion) -> None:
    items = by_prompt(evaluate(trained))
    assert items["at 30 degrees"].likeness == pytest.approx(cos(radians(30)), abs=1e-5)
    assert items["at 30 degrees"].most_alike == items["at 30 degrees"].nearest[0] == TRAINED_ON[0]["id"]


def test_without_an_encoder_by_words_and_nothing_is_said_of_meaning(
    as_alice: Client, evaluate: Evaluate, trained: AdapterVersion
) -> None:
    run = evaluate(trained)
    assert run.items.filter(likeness__gte=0, likeness__lt=1).count() == ROWS
    likeness = run.summary["all"]["likeness"]
    assert (likeness["by"], likeness["by_meaning"], likeness["same"]) == ("words and characters", False, None)
    assert "mean nearly the same" not in page_of(as_alice, "detail", run)


def test_a_copy_of_a_training_row_is_wholly_alike_though_it_is_no_example(
    evaluate: Evaluate, make_version: Callable[..., AdapterVersion]
) -> None:
    copy = conversation("at 0 degrees", "north", number=1)
    run = evaluate(make_version(training=TRAINED_ON, held_out=[copy]))
    [item] = run.items.all()
    assert (item.likeness, item.most_alike) == (1.0, TRAINED_ON[0]["id"])
    assert item.nearest == [TRAINED_ON[1]["id"]]


@pytest.mark.usefixtures("with_encoder")
def test_thirds_begin_with_the_least_alike(evaluate: Evaluate, trained: AdapterVersion) -> None:
    parts = evaluate(trained).summary["all"]["likeness"]["parts"]
    assert [part["rows"] for part in parts] == [20, 20, 20]
    assert parts[0]["low"] == pytest.approx(cos(radians(60)), abs=1e-5)
    assert parts[2]["high"] == pytest.approx(cos(radians(1)), abs=1e-5)
    assert parts[0]["figures"]["v1"]["exact_match"] == 1.0
    assert parts[0]["intervals"]["look_up"] == [0.0, pytest.approx(0.168, abs=0.001)]
    assert {one["metric"] for one in parts[0]["differences"]} == {"exact_match", "rouge_l"}


@pytest.mark.usefixtures("with_encoder")
def test_rows_that_mean_nearly_the_same_are_counted_and_left_out(evaluate: Evaluate, trained: AdapterVersion) -> None:
    same = evaluate(trained).summary["all"]["likeness"]["same"]
    # The cosine of 18 degrees is 0.951, that of 19 degrees 0.946.
    assert (same["at_least"], same["rows"], same["of"]) == (0.95, 18, ROWS)
    assert same["without"]["rows"] == ROWS - 18
    assert same["without"]["figures"]["v1"]["exact_match"] == 1.0


@pytest.mark.usefixtures("with_encoder")
def test_long_prompts_are_not_said_to_mean_the_same(
    evaluate: Evaluate, make_version: Callable[..., AdapterVersion]
) -> None:
    long, short = "at 1 degrees " + "x" * LONGEST, "at 2 degrees"
    rows = [conversation(long, "a", number=1), conversation(short, "b", number=2)]
    same = evaluate(make_version(training=TRAINED_ON, held_out=rows)).summary["all"]["likeness"]["same"]
    assert (same["rows"], same["of"], same["without"]["rows"]) == (1, 1, 1)


@pytest.mark.usefixtures("with_encoder")
def test_pages_and_rest_name_them_beside_the_leaks(
    as_alice: Client, api: APIClient, evaluate: Evaluate, trained: AdapterVersion
) -> None:
    run = evaluate(trained)
    text = "18 of 60 held-out rows mean nearly the same as a training row."
    version = as_alice.get(reverse("adapters:version", args=[trained.id])).content.decode()
    detail = page_of(as_alice, "detail", run)
    for page in (detail, page_of(as_alice, "figures", run), version):
        assert text in page
        assert f"{reverse('evaluations:detail', args=[run.id])}?sort=-likeness#rows" in page
    assert "See all findings" not in detail
    assert text in version.split('id="promote-version"')[1].split("</form>")[0]
    answer = api.get(f"/api/v1/evaluations/{run.id}/").json()
    [finding] = answer["data_findings"]
    assert (finding["code"], finding["count"]) == ("evaluation:same_meaning", 18)
    likeness = answer["need"]["likeness"]
    assert (likeness["by"], likeness["conclusion"]) == ("compass", "learnt")
    assert likeness["same"]["rows"] == 18
    assert [part["rows"] for part in likeness["parts"]] == [20, 20, 20]
    assert answer["need"]["repeats"].startswith("On the 20 rows least like its training rows, v1 gives")


@pytest.mark.usefixtures("with_encoder")
def test_figures_show_the_thirds(as_alice: Client, evaluate: Evaluate, trained: AdapterVersion) -> None:
    page = page_of(as_alice, "figures", evaluate(trained))
    assert "it learnt more than to repeat" in page.split('data-testid="need-likeness"')[1].split("</p>")[0]
    assert all(title in page for title in ("Least alike", "Between", "Most alike"))


def test_of_few_rows_there_are_no_thirds(
    as_alice: Client, evaluate: Evaluate, make_version: Callable[..., AdapterVersion]
) -> None:
    rows = [conversation(f"at {number} degrees", "x", number=number) for number in range(1, 30)]
    run = evaluate(make_version(training=TRAINED_ON, held_out=rows))
    assert run.summary["all"]["likeness"]["parts"] == []
    assert 'data-testid="need-likeness"' not in page_of(as_alice, "figures", run)


def test_the_grid_has_their_order_only_where_it_is_known(
    as_alice: Client, evaluate: Evaluate, trained: AdapterVersion, evaluation: EvaluationRun
) -> None:
    known = page_of(as_alice, "detail", evaluate(trained))
    assert "Least like training rows first" in known
    assert "Nearest training row" not in known
    unknown = page_of(as_alice, "detail", evaluation, sort="likeness")
    assert "Least like training rows first" not in unknown
    assert "Nearest training row" not in unknown


@pytest.mark.usefixtures("with_encoder")
@pytest.mark.parametrize(("sort", "first"), [("likeness", 60), ("-likeness", 1)])
def test_rows_are_sorted_by_it(
    as_alice: Client, evaluate: Evaluate, trained: AdapterVersion, sort: str, first: int
) -> None:
    run = evaluate(trained)
    page = page_of(as_alice, "detail", run, sort=sort)
    assert "Nearest training row" in page
    rows = page_of(as_alice, "export", run, sort=sort, format="jsonl").splitlines()
    row = json.loads(rows[0])
    assert row["prompt"] == f"at {first} degrees"
    assert row["training_likeness"] == pytest.approx(cos(radians(first)), abs=1e-5)


def test_downloads_without_alternatives_have_no_such_column(as_alice: Client, evaluation: EvaluationRun) -> None:
    row = json.loads(page_of(as_alice, "export", evaluation, format="jsonl").splitlines()[0])
    assert "training_likeness" not in row


@pytest.fixture
def alike(evaluation: EvaluationRun) -> EvaluationItem:
    """A row whose nearest training row is stored."""
    with tenant_scope(evaluation.tenant_id):
        data = stored_version(
            Dataset.objects.create(name="Clauses"), [chat("other"), chat("the nearest", "its answer")]
        )
        training = evaluation.version.run
        training.dataset_version = data
        training.save()
        item: EvaluationItem = evaluation.items.get(position=1)
        item.likeness, item.most_alike = 0.87, chat("the nearest", "its answer")["id"]
        item.save()
    return item


def nearest_page(client: Client, item: EvaluationItem, **headers: str) -> Any:
    return client.get(reverse("evaluations:nearest", args=[item.run_id, item.position]), headers=headers)


def test_a_row_shows_its_nearest_training_row(as_alice: Client, alike: EvaluationItem) -> None:
    row = as_alice.get(reverse("evaluations:row", args=[alike.run_id, 1])).content.decode()
    assert f'hx-get="{reverse("evaluations:nearest", args=[alike.run_id, 1])}"' in row
    part = nearest_page(as_alice, alike, hx_request="true").content.decode()
    assert "<html" not in part
    assert all(text in part for text in ("the nearest", "its answer", "Similarity 0.87", "?number=2"))
    whole = nearest_page(as_alice, alike).content.decode()
    assert "<html" in whole
    assert "the nearest" in whole


def test_it_may_be_no_longer_stored(as_alice: Client, alike: EvaluationItem) -> None:
    with tenant_scope(alike.tenant_id):
        EvaluationItem.objects.filter(id=alike.id).update(most_alike="not an id")
    page = nearest_page(as_alice, alike).content.decode()
    assert "no longer stored" in page
    assert "Similarity 0.87" in page


@pytest.mark.parametrize("key", ["index_key", "train_key"])
def test_so_may_its_whole_file(as_alice: Client, alike: EvaluationItem, key: str) -> None:
    with tenant_scope(alike.tenant_id):
        default_storage.delete(getattr(alike.run.version.run.dataset_version, key))
    assert "no longer stored" in nearest_page(as_alice, alike).content.decode()


def test_reviewers_do_not_see_it(as_rita: Client, alike: EvaluationItem) -> None:
    response = nearest_page(as_rita, alike)
    assert response.status_code == 403
    assert "the nearest" not in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_storage_is_read(
    as_alice: Client, alike: EvaluationItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def watched(*args: Any) -> bytes:
        seen.append(connection.in_atomic_block)
        return read_range(*args)

    monkeypatch.setattr("corpora.versions.rows.read_range", watched)
    assert "the nearest" in nearest_page(as_alice, alike).content.decode()
    assert set(seen) == {False}


def test_a_row_of_an_older_evaluation_has_none(as_alice: Client, evaluation: EvaluationRun) -> None:
    row = as_alice.get(reverse("evaluations:row", args=[evaluation.id, 1])).content.decode()
    assert "Nearest training row" not in row
    page = as_alice.get(reverse("evaluations:nearest", args=[evaluation.id, 1])).content.decode()
    assert "did not look for training rows" in page


@pytest.mark.parametrize(
    ("likenesses", "sizes"),
    [
        ([place / 90 for place in range(90)], [30, 30, 30]),
        ([place / 31 for place in range(31)], [10, 11, 10]),
        ([place / 29 for place in range(29)], []),
        ([0.5] * 60, []),
        ([0.1] * 25 + [0.9] * 35, [25, 35]),
        ([0.1] * 5 + [0.9] * 55, []),
        ([0.1] * 29 + [0.5] * 2 + [0.9] * 29, [29, 31]),
        ([0.1] * 12 + [0.2] * 15 + [0.3] * 33, [27, 33]),
    ],
)
def test_equally_similar_rows_stay_together(likenesses: list[float], sizes: list[int]) -> None:
    parts = parts_by_likeness(likenesses[::-1])
    assert [len(part) for part in parts] == sizes
    values = [{likenesses[::-1][place] for place in part} for part in parts]
    assert all(not first & second for first, second in pairwise(values))
