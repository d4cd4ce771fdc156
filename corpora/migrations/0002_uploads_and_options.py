import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateKey, IsolateTenant


class Migration(migrations.Migration):
    dependencies = [
        ("corpora", "0001_initial"),
        ("jobs", "0001_initial"),
        ("tenants", "0002_storage_limit"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("dataset_name", models.CharField(blank=True, max_length=120)),
                (
                    "file_name",
                    models.CharField(help_text="original file name, for display only", max_length=255),
                ),
                ("bytes", models.BigIntegerField()),
                ("received", models.BigIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("receiving", "Uploading"),
                            ("inspecting", "Inspecting"),
                            ("waiting", "Needs review"),
                            ("done", "Imported"),
                            ("failed", "Failed"),
                        ],
                        default="receiving",
                        max_length=16,
                    ),
                ),
                ("key", models.CharField(help_text="object key of the file in storage", max_length=300)),
                (
                    "multipart_id",
                    models.CharField(
                        blank=True, help_text="id of a multipart upload directly to storage", max_length=300
                    ),
                ),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("options", models.JSONField(default=dict, help_text="import options that have been set so far")),
                (
                    "confirms_itself",
                    models.BooleanField(default=False, help_text="whether the file is imported without a review"),
                ),
                ("inspection", models.JSONField(default=dict, help_text="see corpora.ingest.contracts.Inspection")),
                ("error_code", models.CharField(blank=True, max_length=80)),
                ("error_text", models.TextField(blank=True)),
                (
                    "touched_at",
                    models.DateTimeField(
                        auto_now_add=True, help_text="last time data arrived or a person changed the upload"
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="datasetversion",
            name="dataset_version_bytes_once",
        ),
        migrations.RemoveField(
            model_name="datasetversion",
            name="preview",
        ),
        migrations.RemoveField(
            model_name="datasetversion",
            name="rows_key",
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="derived_from",
            field=tenants.isolation.TenantForeignKey(
                blank=True,
                db_constraint=False,
                help_text="version of the same file with other options",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="derived",
                to="corpora.datasetversion",
            ),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="findings_key",
            field=models.CharField(blank=True, help_text="all problems and notices, one per line", max_length=300),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="index_key",
            field=models.CharField(blank=True, help_text="row positions, see corpora.ingest.index", max_length=300),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="options",
            field=models.JSONField(default=dict, help_text="import options, see corpora.ingest.contracts.Options"),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="options_digest",
            field=models.CharField(blank=True, help_text="hash of the options", max_length=32),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="personal_data_kept_at",
            field=models.DateTimeField(
                blank=True, help_text="when a person decided to keep the personal data", null=True
            ),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="personal_data_kept_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="datasetversion",
            name="rows_sha256",
            field=models.CharField(
                blank=True, help_text="SHA-256 of the digests of the training rows and the test rows", max_length=64
            ),
        ),
        migrations.AlterField(
            model_name="datasetversion",
            name="upload_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddConstraint(
            model_name="datasetversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("state", "rejected"), _negated=True), models.Q(("upload_sha256", ""), _negated=True)
                ),
                fields=("tenant", "dataset", "upload_sha256", "options_digest"),
                name="dataset_version_file_once",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="dataset",
            field=tenants.isolation.TenantForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="uploads",
                to="corpora.dataset",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="job",
            field=tenants.isolation.TenantForeignKey(
                db_constraint=False,
                help_text="the latest inspection",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="jobs.job",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="tenant",
            field=tenants.isolation.OwnerKey(
                editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.tenant"
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="version",
            field=tenants.isolation.TenantOneToOneField(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="upload",
                to="corpora.datasetversion",
            ),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["state", "touched_at"], name="upload_left_behind"),
        ),
        IsolateTenant("Upload"),
        IsolateKey("DatasetVersion", "derived_from"),
    ]
