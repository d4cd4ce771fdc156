"""The form on which a person corrects how a file is read before all of it is checked."""

import dataclasses
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict

from corpora.contexts import contexts
from corpora.ingest.contracts import SHOWN_COLUMNS, Options
from corpora.models import Dataset, Upload

NEEDED = {
    "chat": ("messages",),
    "prompt and completion": ("prompt", "completion"),
    "instruction": ("instruction", "input", "output"),
    "classification": ("text", "label"),
}
"""What each layout is made of; only an instruction's input may be missing."""

CHOICES = ("bad_rows", "personal_data", "over_long", "leaks", "context", "seed")
EXTRA = ("system", "label", "split", "slice")
LABELS = {
    "messages": "Conversation",
    "prompt": "Prompt",
    "completion": "Answer",
    "instruction": "Instruction",
    "input": "Input",
    "output": "Answer",
    "text": "Text to classify",
    "label": "Label",
    "system": "Instructions for the model",
    "split": "Split (train or test)",
    "slice": "Slice to see results for",
    "group": "Keep rows together that share",
}
FORMATS = {"jsonl": "JSONL", "csv": "CSV", "tsv": "TSV", "parquet": "Parquet"}
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}
LAYOUTS = {
    "chat": "Conversations",
    "prompt and completion": "Prompt and answer",
    "instruction": "Instruction, input and answer",
    "classification": "Text and label",
}


OURS = "ours"
"""Chosen where the customer leaves it to us."""


class OurChoice(forms.TypedChoiceField):
    """A choice that may be left to us, which is an empty option."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=lambda value: "" if value == OURS else value, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value or OURS


class FormatForm(forms.Form):
    """How `upload` is read and where it goes; begins with what was set or detected."""

    dataset = forms.ModelChoiceField(
        Dataset._base_manager.none(),
        required=False,
        empty_label="A new dataset",
        label="Add it to",
        help_text="A file for a dataset you have becomes its next version.",
    )
    name = forms.CharField(max_length=120, required=False, label="Name of the new dataset")
    file_format = OurChoice(label="Format")
    delimiter = OurChoice(label="Columns are divided by")
    layout = OurChoice(label="What a row holds")
    bad_rows = forms.ChoiceField(
        choices=[("refuse", "Refuse the file"), ("leave_out", "Leave them out")],
        label="Rows that cannot be used",
    )
    personal_data = forms.ChoiceField(
        choices=[("keep", "Keep it as it is"), ("mask", "Mask it")],
        label="Personal data and keys",
        help_text="E-mail addresses, phone, card and account numbers, keys; masked, they read as [email] and the like.",
    )
    over_long = forms.ChoiceField(
        choices=[("keep", "Keep them; training skips them"), ("leave_out", "Leave them out")],
        label="Rows too long for the base model",
    )
    leaks = forms.ChoiceField(
        choices=[("keep", "Keep them and say so"), ("leave_out", "Leave the later row out")],
        label="Rows whose prompt is in both splits",
    )
    context = OurChoice(label="Base model to measure against")
    test_percent = forms.FloatField(
        min_value=0,
        max_value=100,
        label="Held out for the test, in percent",
        help_text="Where the file names no split.",
    )
    seed = forms.IntegerField(
        min_value=0, max_value=2**32 - 1, label="Seed", help_text="Another number holds out other rows."
    )

    def __init__(self, upload: Upload, data: QueryDict | None = None) -> None:
        self.upload, self.options = upload, {**_defaults(), **upload.options}
        self.found: dict[str, Any] = upload.inspection
        super().__init__(data, initial=self._initial(self.options))
        self.fields["dataset"].queryset = Dataset.objects.order_by("name")  # type: ignore[attr-defined]
        self._choose("file_format", FORMATS)
        self._choose("delimiter", DELIMITERS)
        self._choose("layout", LAYOUTS)
        names = [context.name for context in contexts()]
        self._choose("context", dict(zip(names, names, strict=True)), ours=names[0] if names else "")
        if len(names) < 2:
            del self.fields["context"]
        if not self._is_table():
            del self.fields["delimiter"]
        layout = self.options["layout"] or self.found.get("layout") or "prompt and completion"
        self.needed = NEEDED[layout]
        self.extra = tuple(name for name in EXTRA if name not in self.needed)
        for name in (*self.needed, *self.extra, "group"):
            self.fields[f"column_{name}"] = self._column(name)

    def needed_columns(self) -> list[BoundField]:
        return [self[f"column_{name}"] for name in self.needed]

    def extra_columns(self) -> list[BoundField]:
        return [self[f"column_{name}"] for name in self.extra]

    def names_extra_columns(self) -> bool:
        """Whether one of the further columns was chosen or found."""
        return any(field.value() or field.errors for field in self.extra_columns())

    def sample_columns(self) -> list[str]:
        """The first columns of the file."""
        return list(self.found.get("columns", ())[:SHOWN_COLUMNS])

    def sample_rows(self) -> list[list[str]]:
        """The first rows of the file, a text for each of the first columns."""
        columns = self.sample_columns()
        return [[row.get(column, "") for column in columns] for row in self.found.get("sample", ())]

    def has_choices(self) -> bool:
        """Whether something under “More choices” was chosen before, or is wrong."""
        defaults = _defaults()
        chosen = any(self.options[name] != defaults[name] for name in (*CHOICES, "test_share"))
        wrong = any(name in self.errors for name in (*CHOICES, "test_percent", "column_group"))
        return chosen or wrong or "group" in self.options["columns"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        chosen: dict[str, str] = {}
        for name in (*self.needed, *self.extra, "group"):
            column = cleaned.get(f"column_{name}", "")
            if column and column in chosen.values():
                self.add_error(f"column_{name}", "This column stands for something else already.")
            elif column:
                chosen[name] = column
        self.columns = chosen
        return cleaned

    def changes(self) -> dict[str, Any]:
        """What was chosen, as options; a column that is found by its own name is not named."""
        said = self.cleaned_data
        detected, named = self.found.get("mapping", {}), self.options["columns"]
        fields = {*NEEDED.get(said["layout"], self.needed), *EXTRA, "group"}
        return {
            "file_format": said["file_format"],
            "delimiter": said.get("delimiter", ""),
            "layout": said["layout"],
            "columns": {
                name: column
                for name, column in self.columns.items()
                if name in fields and (name in named or column != detected.get(name))
            },
            "test_share": said["test_percent"] / 100,
            **{name: said[name] for name in CHOICES if name in said},
        }

    def _is_table(self) -> bool:
        return (self.options["file_format"] or self.found.get("file_format")) not in {"jsonl", "parquet"}

    def _initial(self, options: dict[str, Any]) -> dict[str, Any]:
        columns = {**self.found.get("mapping", {}), **options["columns"]}
        return {
            **options,
            "test_percent": f"{100 * options['test_share']:g}",
            "dataset": self.upload.dataset_id,
            "name": self.upload.dataset_name,
            **{f"column_{name}": column for name, column in columns.items()},
        }

    def _choose(self, name: str, titles: dict[str, str], ours: str = "") -> None:
        """Choices of a field, first the one that leaves it to us and says what that would be."""
        found = titles.get(self.found.get(name, ""))
        first = ours or (f"{found} (detected)" if found and not self.options[name] else "Detect it")
        set_by_program = {self.options[name]: self.options[name]} if self.options[name] else {}
        self.fields[name].choices = [(OURS, first), *({**set_by_program, **titles}).items()]  # type: ignore[attr-defined]

    def _column(self, name: str) -> forms.ChoiceField:
        named = self.options["columns"]
        columns = dict.fromkeys([*self.found.get("columns", ()), *named.values()])
        choices = [(column, column) for column in columns]
        # A column that is found by its own name cannot be left out.
        if name in named or name not in self.found.get("mapping", {}):
            choices.insert(0, ("", "Choose one" if name in self.needed and name != "input" else "None"))
        return forms.ChoiceField(required=False, label=LABELS[name], choices=choices)


def _defaults() -> dict[str, Any]:
    return dataclasses.asdict(Options())
