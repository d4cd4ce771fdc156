"""Reviews of evaluations become those of a first round, which has the answers of the evaluated version."""

from django.db import migrations

from tenants.scope import system_scope

# Whoever has begun can go on: as many experts as graded before may grade each answer.
ROUNDS = """
INSERT INTO evaluations_reviewround (
    id, tenant_id, created_at, run_id, number, candidate_id, shape, reviewers_per_item, seed, shows_judge, state
)
SELECT gen_random_uuid(), run.tenant_id, given.first_at, run.id, 1, model.id, 'single', least(given.reviewers, 9), '',
    false, 'open'
FROM evaluations_evaluationrun run
JOIN evaluations_evaluatedmodel model ON model.run_id = run.id AND model.version_id = run.version_id
JOIN (
    SELECT item.run_id, count(DISTINCT review.reviewer_id) AS reviewers, min(review.created_at) AS first_at
    FROM evaluations_review review JOIN evaluations_evaluationitem item ON item.id = review.item_id
    GROUP BY item.run_id
) given ON given.run_id = run.id
"""

ITEMS = """
INSERT INTO evaluations_rounditem (
    id, tenant_id, created_at, round_id, position, item_id, answer_id, is_swapped, part, is_decided
)
SELECT gen_random_uuid(), round.tenant_id, round.created_at, round.id,
    row_number() OVER (PARTITION BY round.id ORDER BY item.uncertainty DESC, item.position),
    item.id, answer.id, false, 'targeted',
    (SELECT count(*) FROM evaluations_review review WHERE review.item_id = item.id) >= round.reviewers_per_item
FROM evaluations_reviewround round
JOIN evaluations_evaluationitem item ON item.run_id = round.run_id
JOIN evaluations_answer answer ON answer.item_id = item.id AND answer.model_id = round.candidate_id
"""

ASSIGNMENTS = """
INSERT INTO evaluations_assignment (id, tenant_id, created_at, round_id, reviewer_id)
SELECT gen_random_uuid(), round.tenant_id, round.created_at, round.id, person.user_id
FROM evaluations_reviewround round
JOIN (
    SELECT tenant_id, user_id FROM tenants_membership WHERE role = 'reviewer'
    UNION
    SELECT tenant_id, reviewer_id FROM evaluations_review
) person ON person.tenant_id = round.tenant_id
"""

REVIEWS = """
UPDATE evaluations_review review SET round_item_id = item.id
FROM evaluations_rounditem item WHERE item.item_id = review.item_id
"""

TURNS = """
INSERT INTO evaluations_turn (id, tenant_id, created_at, round_item_id, reviewer_id, state, expires_at, reason)
SELECT gen_random_uuid(), review.tenant_id, review.created_at, review.round_item_id, review.reviewer_id, 'graded',
    review.updated_at, ''
FROM evaluations_review review
"""

BACK = """
UPDATE evaluations_review review SET item_id = item.item_id, grade = round(review.grade::numeric)
FROM evaluations_rounditem item WHERE item.id = review.round_item_id
"""


def move(apps, schema_editor):
    with system_scope(), schema_editor.connection.cursor() as cursor:
        for statement in (ROUNDS, ITEMS, ASSIGNMENTS, REVIEWS, TURNS):
            cursor.execute(statement)


def move_back(apps, schema_editor):
    with system_scope(), schema_editor.connection.cursor() as cursor:
        for statement in (BACK, "DELETE FROM evaluations_turn", "DELETE FROM evaluations_assignment"):
            cursor.execute(statement)
        # Its key to an item of a round would keep the items.
        cursor.execute("UPDATE evaluations_review SET round_item_id = NULL")
        cursor.execute("DELETE FROM evaluations_rounditem")
        cursor.execute("DELETE FROM evaluations_reviewround")


class Migration(migrations.Migration):
    dependencies = [
        ("evaluations", "0015_review_rounds"),
        ("tenants", "0007_keys_end_with_account"),
    ]

    operations = [
        migrations.RunPython(move, move_back),
    ]
