from django.db import migrations, models

from tenants.scope import system_scope

ADD_UP = """
    WITH kept AS (
        SELECT DISTINCT ON (tenant_id, hour, purpose, paid_to, judge_key, judge_name) id,
            sum(calls) OVER same AS calls,
            sum(calls_without_price) OVER same AS calls_without_price,
            sum(calls_without_tokens) OVER same AS calls_without_tokens,
            sum(tokens_in) OVER same AS tokens_in,
            sum(tokens_out) OVER same AS tokens_out,
            sum(usd) OVER same AS usd
        FROM evaluations_judgeusage
        WINDOW same AS (PARTITION BY tenant_id, hour, purpose, paid_to, judge_key, judge_name)
        ORDER BY tenant_id, hour, purpose, paid_to, judge_key, judge_name, id
    ), added AS (
        UPDATE evaluations_judgeusage u
        SET calls = kept.calls, calls_without_price = kept.calls_without_price,
            calls_without_tokens = kept.calls_without_tokens, tokens_in = kept.tokens_in,
            tokens_out = kept.tokens_out, usd = kept.usd
        FROM kept WHERE kept.id = u.id
        RETURNING u.id
    )
    DELETE FROM evaluations_judgeusage WHERE id NOT IN (SELECT id FROM added)
"""


def add_up(apps, schema_editor):
    with system_scope():
        schema_editor.execute(ADD_UP)


class Migration(migrations.Migration):
    """Calls of a judge keep where their price is from; those of one hour at another price are another row."""

    dependencies = [
        ("evaluations", "0028_alternatives_to_training"),
    ]

    operations = [
        migrations.AddField(
            model_name="judgeusage",
            name="price_source",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="of the price of a token; empty: not known",
                max_length=200,
            ),
        ),
        migrations.RemoveConstraint(model_name="judgeusage", name="judge_usage_once"),
        # Backwards only: what had several prices in an hour is one row again.
        migrations.RunPython(migrations.RunPython.noop, add_up),
        migrations.AddConstraint(
            model_name="judgeusage",
            constraint=models.UniqueConstraint(
                fields=("tenant", "hour", "purpose", "paid_to", "judge_key", "judge_name", "price_source"),
                name="judge_usage_once_each_price",
            ),
        ),
    ]
