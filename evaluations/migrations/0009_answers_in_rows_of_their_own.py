from django.db import migrations


class Migration(migrations.Migration):
    """Answers, scores and grades have been copied to rows of their own."""

    dependencies = [
        ("evaluations", "0008_copy_answers"),
    ]

    operations = [
        migrations.RemoveField(model_name="evaluationitem", name="answer_adapter"),
        migrations.RemoveField(model_name="evaluationitem", name="answer_base"),
        migrations.RemoveField(model_name="evaluationitem", name="judgement"),
        migrations.RemoveField(model_name="evaluationitem", name="scores"),
        migrations.RemoveField(model_name="evaluationrun", name="judge"),
    ]
