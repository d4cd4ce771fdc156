import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation
from tenants.scope import system_scope

ABOUT = """
UPDATE evaluations_evaluationrun run SET about = 'v' || version.number
FROM adapters_adapterversion version WHERE version.id = run.version_id AND run.about = ''
"""


def fill(apps, schema_editor):
    with system_scope():
        schema_editor.execute(ABOUT)


def drop_those_without_version(apps, schema_editor):
    """They have no place in the earlier table."""
    with system_scope():
        apps.get_model("evaluations", "EvaluationRun").objects.filter(version=None).delete()
        # The table cannot be changed while checks of its keys are pending.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


class Migration(migrations.Migration):
    """An evaluation says which of its models it is about, which need not be an adapter version."""

    dependencies = [
        ("adapters", "0004_evaluate_after_training"),
        ("evaluations", "0025_alignments"),
    ]

    operations = [
        migrations.AddField(
            model_name="evaluationrun",
            name="about",
            field=models.CharField(
                db_default="", default="", help_text="Key of the model that the evaluation is about.", max_length=80
            ),
        ),
        migrations.AddField(
            model_name="evaluationrun",
            name="base_model",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="that the evaluation is about; null if it is about a version or an outside model",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="adapters.basemodel",
            ),
        ),
        migrations.AlterField(
            model_name="evaluationrun",
            name="version",
            field=tenants.isolation.TenantForeignKey(
                blank=True,
                db_constraint=False,
                help_text="that the evaluation is about, if it is about one",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="evaluations",
                to="adapters.adapterversion",
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running"), ("version", None)),
                fields=("tenant", "about", "base_model"),
                name="evaluation_without_version_running_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("about", ""), ("version", None), _negated=True),
                    models.Q(("version", None), ("base_model", None), _connector="OR"),
                ),
                name="evaluation_about_one_model",
            ),
        ),
        migrations.RunPython(fill, drop_those_without_version),
    ]
