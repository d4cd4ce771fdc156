"""What is right and wrong with a base model, in words for its operator."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adapters.base_models.chat_templates import read_by_template, rewritten_by_template
from adapters.base_models.folders import Folder, read_folder
from adapters.base_models.names import in_words, uses_of
from adapters.base_models.shapes import read_shape
from adapters.models import BaseModel
from adapters.offers.licence import has_licence_text
from adapters.offers.needs import needs_of, serves_on, trains_on
from adapters.operator.copies import differences
from rest.errors import PortalError

Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`note` is what to know, `wrong` what has to be put right."""

    level: Level
    text: str

    def to_dict(self) -> dict[str, Any]:
        return {"level": self.level, "text": self.text}


def check(base_model: BaseModel) -> list[Finding]:
    """Read its files, all of them: takes a second for each gigabyte or so."""
    try:
        folder = read_folder(Path(base_model.location))
    except PortalError as error:
        return [Finding(level="wrong", text=error.text)]
    return [
        _files(base_model, folder),
        *_name(base_model),
        *_family(base_model),
        *_template(base_model),
        *_licence(base_model, folder),
        *_instances(base_model),
        *_copy(base_model),
    ]


def _files(base_model: BaseModel, folder: Folder) -> Finding:
    if base_model.sha256 in {"", folder.sha256}:
        return Finding(level="ok", text="Its files are those that were added.")
    text = "Its files differ from those that were added. Adapters trained on them may not fit."
    return Finding(level="wrong", text=text)


def _name(base_model: BaseModel) -> Iterator[Finding]:
    if uses := uses_of(base_model.name):
        text = (
            f"It has the name of {in_words(uses)}. A router of that name no longer answers, and an adapter can’t be "
            "promoted. Ask for another name there, or add the model under another one."
        )
        yield Finding(level="wrong", text=text)


def _family(base_model: BaseModel) -> Iterator[Finding]:
    if read_shape(base_model) is None:
        text = "Its family is not known here, so memory and adapter sizes can’t be estimated."
        yield Finding(level="note", text=text)


def _template(base_model: BaseModel) -> Iterator[Finding]:
    read = read_by_template(base_model)
    if read is None:
        yield Finding(level="note", text="Its chat template can’t be read here. Trainings try it when they start.")
        return
    lacks = [what for what, name in (("tool calls", "tools"), ("reasoning", "reasoning")) if name not in read]
    if lacks:
        text = f"Its chat template has no {' and no '.join(lacks)}: datasets with them can’t be trained on it."
        yield Finding(level="note", text=text)
    else:
        yield Finding(level="ok", text="Its chat template has tool calls and reasoning.")
    if rewritten_by_template(base_model):
        text = "Its chat template changes earlier answers of a conversation, so each answer is trained on by itself."
        yield Finding(level="note", text=text)


def _licence(base_model: BaseModel, folder: Folder) -> Iterator[Finding]:
    stated = folder.described["licence"]
    if not base_model.licence:
        yield Finding(level="note", text="No licence is stated. Say which one it has.")
    elif stated and _plain(stated) != _plain(base_model.licence):
        text = f"It is offered under “{base_model.licence}”, but its files say “{stated}”. Check which is right."
        yield Finding(level="wrong", text=text)
    if not has_licence_text(base_model) and not base_model.is_synthetic:
        text = "No licence text lies beside its files. Many licences ask that it is passed on."
        yield Finding(level="note", text=text)


def _instances(base_model: BaseModel) -> Iterator[Finding]:
    needs = needs_of(base_model)
    if needs is None:
        return
    for what, instance, suffices, smallest in (
        ("Training", base_model.training_instance, trains_on, needs.training_instance),
        ("Serving", base_model.serving_instance, serves_on, needs.serving_instance),
    ):
        if instance and suffices(base_model, instance) is False:
            larger = f" {smallest} has enough." if smallest else " It takes more than one GPU."
            yield Finding(level="wrong", text=f"{what} needs more memory than one GPU of {instance} has.{larger}")


def _copy(base_model: BaseModel) -> Iterator[Finding]:
    if not base_model.sagemaker_uri:
        return
    if problem := differences(Path(base_model.location), base_model.sagemaker_uri):
        yield Finding(level="wrong", text=problem)
    else:
        text = "Its copy in S3 has the same files with the same sizes; their content was not compared."
        yield Finding(level="ok", text=text)


def _plain(licence: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", licence.lower())
