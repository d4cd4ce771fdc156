import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation
from tenants.scope import system_scope

# What has no place in the earlier table: other models' answers, pairs, adjudications, and a second grade of a row.
LOST = """
DELETE FROM evaluations_review review USING evaluations_rounditem item, evaluations_reviewround round,
    evaluations_evaluationrun run, evaluations_answer answer, evaluations_evaluatedmodel model
WHERE item.id = review.round_item_id AND round.id = item.round_id AND run.id = round.run_id
    AND answer.id = item.answer_id AND model.id = answer.model_id
    AND (review.grade IS NULL OR review.is_adjudication OR model.version_id IS DISTINCT FROM run.version_id
        OR EXISTS (
            SELECT FROM evaluations_review other JOIN evaluations_rounditem place ON place.id = other.round_item_id
            WHERE place.item_id = item.item_id AND other.reviewer_id = review.reviewer_id AND NOT other.is_adjudication
                AND other.grade IS NOT NULL AND (other.created_at, other.id) < (review.created_at, review.id)
        ))
"""

KEY = "evaluations_review_item_id_tenant_fk"


def drop_lost(apps, schema_editor):
    with system_scope():
        schema_editor.execute(LOST)


class Migration(migrations.Migration):
    """A review belongs to an item of a round, no longer to a row of an evaluation."""

    dependencies = [
        ("evaluations", "0016_earlier_reviews"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="review",
            name="review_once",
        ),
        migrations.RemoveConstraint(
            model_name="review",
            name="review_grade_1_to_5",
        ),
        migrations.RunSQL(
            f"ALTER TABLE evaluations_review DROP CONSTRAINT {KEY}",
            f"ALTER TABLE evaluations_review ADD CONSTRAINT {KEY} FOREIGN KEY (tenant_id, item_id)"
            " REFERENCES evaluations_evaluationitem (tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
        ),
        migrations.RemoveField(
            model_name="review",
            name="item",
        ),
        migrations.AlterField(
            model_name="review",
            name="grade",
            field=models.FloatField(
                blank=True, help_text="1 to 5, the weighted mean of criteria; null for pairs", null=True
            ),
        ),
        migrations.AlterField(
            model_name="review",
            name="round_item",
            field=tenants.isolation.TenantForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="reviews",
                to="evaluations.rounditem",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_adjudication", False)),
                fields=("tenant", "round_item", "reviewer"),
                name="review_of_reviewer_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_adjudication", True)), fields=("tenant", "round_item"), name="adjudication_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("choice", ""), ("grade__gte", 1), ("grade__lte", 5)),
                    models.Q(models.Q(("choice", ""), _negated=True), ("grade__isnull", True)),
                    _connector="OR",
                ),
                name="review_grade_or_choice",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, drop_lost),
    ]
