"""Reviews from before there were rounds become those of a first round, and go back."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.evaluations.runs.test_answers_in_rows import drop_keys, insert
from tests.plugins.services import copied_database, migrate

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

Connection = psycopg.Connection[Any]

ROUND_ITEMS = """
    SELECT place.position, item.position, answer.text, place.part, place.probability, place.is_decided
    FROM evaluations_rounditem place JOIN evaluations_evaluationitem item ON item.id = place.item_id
    JOIN evaluations_answer answer ON answer.id = place.answer_id ORDER BY place.position
"""
REVIEWS = """
    SELECT item.position, review.grade, review.comment, turn.state
    FROM evaluations_review review JOIN evaluations_rounditem item ON item.id = review.round_item_id
    JOIN evaluations_turn turn ON turn.round_item_id = item.id AND turn.reviewer_id = review.reviewer_id
    ORDER BY item.position, review.grade
"""


@pytest.fixture
def site() -> Iterator[str]:
    """The address of a database with two reviews of an evaluation of two rows, and an evaluation without any."""
    with copied_database("test_earlier_reviews") as url:
        migrate(url, "evaluations", "0014_judge_usage")
        with psycopg.connect(url) as connection:
            connection.execute("SELECT set_config('portal.system', 'on', false)")
            for table in ("adapters_adapterversion", "evaluations_evaluationrun"):
                drop_keys(connection, table)
            fill(connection)
        yield url


def fill(connection: Connection) -> None:
    tenant, version = uuid4(), uuid4()
    insert(
        connection, "tenants_tenant", id=tenant, name="Alder Law", slug="alder-law", created_at="now",
        max_running_jobs=2, max_storage_bytes=1,
    )  # fmt: skip
    people = [person(connection, tenant, f"{name}@example.com") for name in ("rita", "dana", "idle")]
    insert(
        connection, "adapters_adapterversion", id=version, tenant_id=tenant, created_at="now", number=3,
        adapter_id=uuid4(), run_id=uuid4(), package_key="", package_sha256="", package_bytes=1, rank=4,
        manifest={}, metrics={},
    )  # fmt: skip
    (low, high), _ = (evaluation(connection, tenant, version) for _ in range(2))
    for item, reviewer, grade in ((high, people[0], 2), (high, people[1], 4), (low, people[0], 5)):
        insert(
            connection, "evaluations_review", id=uuid4(), tenant_id=tenant, created_at="now", updated_at="now",
            item_id=item, reviewer_id=reviewer, grade=grade, comment="Fine.",
        )  # fmt: skip


def person(connection: Connection, tenant: UUID, email: str) -> int:
    found = connection.execute(
        "INSERT INTO tenants_user (password, is_superuser, email, name, is_active, is_staff, date_joined)"
        " VALUES ('!', false, %s, '', true, false, now()) RETURNING id",
        [email],
    ).fetchone()
    assert found is not None
    insert(
        connection, "tenants_membership", id=uuid4(), tenant_id=tenant, created_at="now", user_id=found[0],
        role="reviewer",
    )  # fmt: skip
    return int(found[0])


def evaluation(connection: Connection, tenant: UUID, version: UUID) -> tuple[UUID, UUID]:
    """Its two rows, the more uncertain one last."""
    run = uuid4()
    insert(
        connection, "evaluations_evaluationrun", id=run, tenant_id=tenant, created_at="now", version_id=version,
        dataset_version_id=uuid4(), job_id=uuid4(), state="ready", summary={},
    )  # fmt: skip
    models = {}
    for position, (key, of) in enumerate((("base", None), ("v3", version))):
        models[key] = uuid4()
        insert(
            connection, "evaluations_evaluatedmodel", id=models[key], tenant_id=tenant, created_at="now", run_id=run,
            position=position, key=key, name=key, kind="base" if of is None else "version", version_id=of, sha256="",
        )  # fmt: skip
    rows = (uuid4(), uuid4())
    for position, item in enumerate(rows, 1):
        insert(
            connection, "evaluations_evaluationitem", id=item, tenant_id=tenant, created_at="now", run_id=run,
            position=position, slice="all", messages=[], reference="Yes.", uncertainty=position / 10,
        )  # fmt: skip
        for key, model in models.items():
            insert(
                connection, "evaluations_answer", id=uuid4(), tenant_id=tenant, created_at="now", item_id=item,
                model_id=model, key="", text=f"{key} on {position}", scores={},
            )  # fmt: skip
    return rows


def read(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        connection.execute("SELECT set_config('portal.system', 'on', false)")
        return connection.execute(statement).fetchall()


def test_reviews_of_an_older_site_move_to_a_round_and_back(site: str) -> None:
    migrate(site)
    assert read(site, ROUND_ITEMS) == [
        (1, 2, "v3 on 2", "targeted", None, True),
        (2, 1, "v3 on 1", "targeted", None, False),
    ]
    assert read(site, REVIEWS) == [
        (1, 2.0, "Fine.", "graded"),
        (1, 4.0, "Fine.", "graded"),
        (2, 5.0, "Fine.", "graded"),
    ]
    assert read(site, "SELECT number, state, reviewers_per_item FROM evaluations_reviewround") == [(1, "open", 2)]
    assert read(site, "SELECT count(*) FROM evaluations_assignment") == [(3,)]

    migrate(site, "evaluations", "0014_judge_usage")
    back = (
        "SELECT item.position, grade FROM evaluations_review JOIN evaluations_evaluationitem item ON item.id = item_id"
    )
    assert sorted(read(site, back)) == [(1, 5), (2, 2), (2, 4)]
