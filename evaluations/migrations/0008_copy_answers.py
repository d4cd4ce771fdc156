"""The answers of base and adapter, their scores and grades become rows of their own."""

from django.db import migrations

from tenants.scope import system_scope

MODELS = """
INSERT INTO evaluations_evaluatedmodel (id, tenant_id, created_at, run_id, position, key, name, kind, version_id, sha256)
SELECT gen_random_uuid(), run.tenant_id, run.created_at, run.id, 0, 'base', 'Base', 'base', NULL, ''
FROM evaluations_evaluationrun run
UNION ALL
SELECT gen_random_uuid(), run.tenant_id, run.created_at, run.id, 1,
    'v' || version.number, 'v' || version.number, 'version', version.id, ''
FROM evaluations_evaluationrun run JOIN adapters_adapterversion version ON version.id = run.version_id
"""

ANSWERS = """
INSERT INTO evaluations_answer (id, tenant_id, created_at, item_id, model_id, key, text, scores, is_right)
SELECT gen_random_uuid(), item.tenant_id, item.created_at, item.id, model.id, '',
    CASE model.kind WHEN 'base' THEN item.answer_base ELSE item.answer_adapter END,
    COALESCE(item.scores -> side.name, '{}'),
    (item.scores -> side.name ->> 'exact_match')::float = 1
FROM evaluations_evaluationitem item JOIN evaluations_evaluatedmodel model ON model.run_id = item.run_id
JOIN (VALUES ('base', 'base'), ('version', 'adapter')) AS side (kind, name) ON side.kind = model.kind
"""

JUDGINGS = """
INSERT INTO evaluations_judging (id, tenant_id, created_at, run_id, state, judges, is_pairwise, summary)
SELECT gen_random_uuid(), run.tenant_id, run.created_at, run.id, 'ready',
    jsonb_build_array(jsonb_build_object('alias', run.judge, 'name', 'Judge of this site', 'fingerprint', '',
        'is_llm', false)),
    false, '{}'
FROM evaluations_evaluationrun run WHERE run.state = 'ready'
"""

GRADES = """
INSERT INTO evaluations_grade (id, tenant_id, created_at, judging_id, answer_id, score, reason, detail, spread)
SELECT gen_random_uuid(), item.tenant_id, item.created_at, judging.id, answer.id,
    (item.judgement -> side.name ->> 'score')::float,
    COALESCE(item.judgement -> side.name ->> 'reason', ''), '{}', 0
FROM evaluations_evaluationitem item JOIN evaluations_evaluatedmodel model ON model.run_id = item.run_id
JOIN (VALUES ('base', 'base'), ('version', 'adapter')) AS side (kind, name) ON side.kind = model.kind
JOIN evaluations_answer answer ON answer.item_id = item.id AND answer.model_id = model.id
JOIN evaluations_judging judging ON judging.run_id = item.run_id
WHERE (item.judgement -> side.name ->> 'score') IS NOT NULL
"""

PROMPTS = """
UPDATE evaluations_evaluationitem
SET prompt_sha256 = encode(sha256(convert_to(messages::text || tools::text, 'UTF8')), 'hex'),
    prompt_length = length(messages::text)
"""


def copy(apps, schema_editor):
    with system_scope(), schema_editor.connection.cursor() as cursor:
        for statement in (MODELS, ANSWERS, JUDGINGS, GRADES, PROMPTS):
            cursor.execute(statement)
        _rewrite_summaries(apps)


def _rewrite_summaries(apps):
    runs, judgings = (apps.get_model("evaluations", name) for name in ("EvaluationRun", "Judging"))
    for run in runs.objects.exclude(summary={}).select_related("version"):
        own, graded = f"v{run.version.number}", {}
        for name, part in run.summary.items():
            figures = {"base": part.pop("base"), own: part.pop("adapter")}
            grades = {key: values.pop("judge", None) for key, values in figures.items()}
            graded[name] = {"figures": grades, "differences": []}
            differences = [
                {"metric": metric, "model": own, "against": "base", **_difference(values, part["rows"])}
                for metric, values in part.pop("difference").items()
            ]
            part |= {"figures": figures, "differences": differences, "unavailable": part.get("unavailable", {})}
        run.answer_tokens = 512
        run.save(update_fields=["summary", "answer_tokens"])
        judgings.objects.filter(run=run).update(summary=graded)


def _difference(values, rows):
    units = values.get("units", rows)
    verdict = "unclear"
    if values["p_value"] < 0.05:
        verdict = "worse" if values["mean"] < 0 else "better" if units >= 20 else "too few"
    return {**values, "rows": rows, "units": units, "method": "newcombe", "comparisons": 1, "verdict": verdict}


class Migration(migrations.Migration):
    dependencies = [
        ("evaluations", "0007_evaluated_models"),
    ]

    operations = [
        # Back, the columns that are filled again hold nothing; evaluations are made again.
        migrations.RunPython(copy, migrations.RunPython.noop),
    ]
