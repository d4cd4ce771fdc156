"""`manage.py base_model add|list|check|remove`: the base models that adapters can be trained on."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from adapters.base_models.clouds import CLOUD
from adapters.base_models.folders import check_lengths
from adapters.base_models.names import refuse_in_use
from adapters.base_models.queries import base_model_named
from adapters.base_models.services import add_base_model, note_findings, remove_base_model
from adapters.base_models.sources.fetch import fetch, is_elsewhere, usual_name
from adapters.models import BaseModel
from adapters.offers.needs import needs_of
from adapters.operator.checking import check
from rest.errors import PortalError


class Command(BaseCommand):
    help = "Add a base model, list those there are, check one's files, or remove one."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="add the base model in a folder, or read it again")
        add.add_argument(
            "folder",
            help="as save_pretrained writes it, with a chat template; or where it is to be fetched from: "
            "s3://BUCKET/PREFIX, hf://OWNER/MODEL[@REVISION], or a GGUF file",
        )
        add.add_argument("--name", default="", help="what callers send as `model` (default: from its base.json)")
        add.add_argument("--title", default="", help="what pages call it")
        add.add_argument("--licence", default="", help="an SPDX identifier such as Apache-2.0, or words")
        add.add_argument("--source", default="", help="where the files are from")
        add.add_argument("--description", default="")
        add.add_argument("--sagemaker-uri", default="", help="a folder in S3 with the same files, for SageMaker")
        add.add_argument("--training-instance", default="", help="SageMaker instance type (default: the settings’)")
        add.add_argument("--serving-instance", default="", help="that of new endpoints (default: the settings’)")
        actions.add_parser("list", help="list the base models")
        for action, help_text in (
            ("check", "compare a base model's files with what was added"),
            ("remove", "remove a base model without adapters; its files stay"),
        ):
            actions.add_parser(action, help=help_text).add_argument("name")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            match options["action"]:
                case "add":
                    names = ("name", "title", "licence", "source", "description", *CLOUD)
                    given = {name: options[name] for name in names}
                    check_lengths(given)
                    added = add_base_model(folder=self._folder(options["folder"], options["name"]), **given)
                    self._say(added)
                    self._advise(added)
                case "check":
                    self._check(base_model_named(options["name"]))
                case "remove":
                    remove_base_model(base_model=base_model_named(options["name"]))
                    self.stdout.write("Removed. Its files are where they were.")
                case _:
                    for base_model in BaseModel.objects.order_by("name"):
                        self._say(base_model)
        except PortalError as error:
            raise CommandError(error.text) from error

    def _folder(self, source: str, name: str) -> Path:
        if not is_elsewhere(source):
            return Path(source)
        # Before hours of fetching.
        refuse_in_use(name or usual_name(source))
        self.stdout.write("Fetching. This may take a while.")
        return fetch(source, name=name, into=settings.PORTAL_VAR / "base-models")

    def _say(self, base_model: BaseModel) -> None:
        known = (
            base_model.title,
            base_model.architecture,
            f"{base_model.parameters:,} parameters" if base_model.parameters else "",
            f"context {base_model.context_length:,}",
            base_model.licence or "licence not stated",
            base_model.location,
        )
        self.stdout.write(f"{base_model.name}: {', '.join(filter(None, known))}")

    def _check(self, base_model: BaseModel) -> None:
        findings = check(base_model)
        note_findings(base_model=base_model, findings=[one.to_dict() for one in findings])
        if wrong := [one.text for one in findings if one.level == "wrong"]:
            raise CommandError("\n".join(wrong))
        self._say(base_model)
        for one in findings:
            self.stdout.write(one.text)

    def _advise(self, base_model: BaseModel) -> None:
        """Which instances of SageMaker have enough memory, where that can be told."""
        if needs := needs_of(base_model):
            for what, instance in (("training", needs.training_instance), ("serving", needs.serving_instance)):
                self.stdout.write(f"SageMaker instance for {what}: {instance or 'one with several GPUs'} or larger")
