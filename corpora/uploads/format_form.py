"""The form for the import options of an uploaded file."""

import dataclasses
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict

from corpora.contexts import contexts
from corpora.ingest.contracts import SHOWN_COLUMNS, Options
from corpora.ingest.problems import shown
from corpora.models import Dataset, Upload

NEEDED = {
    "chat": ("messages",),
    "ShareGPT": ("messages",),
    "prompt and completion": ("prompt", "completion"),
    "instruction": ("instruction", "input", "output"),
    "classification": ("text", "label"),
    "preference": ("prompt", "chosen", "rejected"),
    "KTO": ("prompt", "completion", "label"),
}
"""The fields of each layout. Only those of `OPTIONAL` may be missing."""

OPTIONAL = {("instruction", "input"), ("preference", "prompt"), ("KTO", "prompt"), ("KTO", "completion")}
READ_BY = ("file_format", "delimiter", "encoding", "layout", "columns", "preferences")
"""The options that say how the file is read."""

CHOICES = ("bad_rows", "personal_data", "over_long", "leaks", "preferences", "reasoning", "context", "seed")
EXTRA = ("system", "tools", "label", "split", "slice")
LABELS = {
    "messages": "Conversation",
    "prompt": "Prompt",
    "completion": "Answer",
    "instruction": "Instruction",
    "input": "Input",
    "output": "Answer",
    "text": "Text to classify",
    "label": "Label",
    "chosen": "Chosen answer",
    "rejected": "Rejected answer",
    "tools": "Tools",
    "system": "Instructions for the model",
    "split": "Split (train or test)",
    "slice": "Slice (group for results)",
    "group": "Group (its rows stay in one split)",
}
FORMATS = {"jsonl": "JSONL", "json": "JSON", "csv": "CSV", "tsv": "TSV", "parquet": "Parquet"}
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}
ENCODINGS = {"utf-8": "UTF-8", "utf-16": "UTF-16", "windows-1252": "Windows-1252 (Western European)"}
LAYOUTS = {
    "chat": "Conversations",
    "ShareGPT": "ShareGPT conversations",
    "prompt and completion": "Prompt and answer",
    "instruction": "Instruction, input and answer",
    "classification": "Text and label",
    "preference": "Preferences (chosen and rejected)",
    "KTO": "Preferences (good or bad answers)",
}


UNMAPPED = ("missing_messages_list", "dataset:missing_field")
"""What is said of columns of which none is known."""

OURS = "ours"
"""The form value of "detect automatically", which is an empty option."""


class OurChoice(forms.TypedChoiceField):
    """A choice whose first entry leaves the option empty, so that the value is detected."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=lambda value: "" if value == OURS else value, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value or OURS


class FormatForm(forms.Form):
    """The import options and the dataset of `upload`. Initial values are the options set before, or detected."""

    dataset = forms.ModelChoiceField(
        Dataset._base_manager.none(),
        required=False,
        empty_label="New dataset",
        label="Dataset",
        help_text="In an existing dataset, the file becomes the next version.",
    )
    name = forms.CharField(max_length=120, required=False, label="Name of the new dataset")
    file_format = OurChoice(label="Format")
    delimiter = OurChoice(label="Column separator")
    encoding = OurChoice(label="Text encoding", help_text="Change it if accented characters look wrong.")
    layout = OurChoice(label="Row layout")
    bad_rows = forms.ChoiceField(
        choices=[("refuse", "Reject the file"), ("leave_out", "Leave them out")],
        label="Rows with problems",
    )
    personal_data = forms.ChoiceField(
        choices=[("keep", "Keep it"), ("mask", "Mask it")],
        label="Personal data and keys",
        help_text="E-mail addresses, phone, card and bank account numbers, and keys. "
        "Masking replaces each with its type, such as [email].",
    )
    over_long = forms.ChoiceField(
        choices=[("keep", "Keep them; training skips them"), ("leave_out", "Leave them out")],
        label="Rows too long for the base model",
    )
    leaks = forms.ChoiceField(
        choices=[("keep", "Keep them and report them"), ("leave_out", "Leave out the later row")],
        label="Prompts in both splits",
    )
    preferences = forms.ChoiceField(
        choices=[("refuse", "Reject the file"), ("chosen", "Train on the chosen answers")],
        label="Preference data",
    )
    reasoning = forms.ChoiceField(
        choices=[("drop", "Leave it out"), ("keep", "Keep it, for base models that reason")],
        label="Reasoning in answers",
    )
    context = OurChoice(label="Base model for token counts")
    test_percent = forms.FloatField(
        min_value=0,
        max_value=100,
        label="Held out for testing (%)",
        help_text="Not used if the file has a split.",
    )
    seed = forms.IntegerField(
        min_value=0, max_value=2**32 - 1, label="Seed", help_text="Change it to hold out different rows."
    )

    def __init__(self, upload: Upload, data: QueryDict | None = None) -> None:
        self.upload, self.options = upload, {**_defaults(), **upload.options}
        self.found: dict[str, Any] = upload.inspection
        super().__init__(data, initial=self._initial(self.options))
        self.fields["dataset"].queryset = Dataset.objects.order_by("name")  # type: ignore[attr-defined]
        self._choose("file_format", FORMATS)
        self._choose("delimiter", DELIMITERS)
        self._choose("encoding", ENCODINGS)
        self._choose("layout", LAYOUTS)
        names = [context.name for context in contexts()]
        self._choose("context", dict(zip(names, names, strict=True)), ours=names[0] if names else "")
        if len(names) < 2:
            del self.fields["context"]
        if not self._is_table():
            del self.fields["delimiter"]
        if self._format() == "parquet":
            del self.fields["encoding"]
        layout = self.options["layout"] or self.found.get("layout") or "prompt and completion"
        self.needed = NEEDED[layout]
        self.may_be_missing = {name for of_layout, name in OPTIONAL if of_layout == layout}
        self.extra = tuple(name for name in EXTRA if name not in self.needed)
        for name in (*self.needed, *self.extra, "group"):
            self.fields[f"column_{name}"] = self._column(name)
        if said := self._last_version():
            self.fields["dataset"].help_text = said

    def needed_columns(self) -> list[BoundField]:
        return [self[f"column_{name}"] for name in self.needed]

    def extra_columns(self) -> list[BoundField]:
        return [self[f"column_{name}"] for name in self.extra]

    def names_extra_columns(self) -> bool:
        """Whether an optional column was chosen or detected."""
        return any(field.value() or field.errors for field in self.extra_columns())

    def problems(self) -> list[dict[str, Any]]:
        """Why rows cannot be read. As long as no column was chosen, not that no column is known."""
        found: list[dict[str, Any]] = list(self.found.get("problems", ()))
        if self.found.get("layout") or self.options["layout"] or self.options["columns"]:
            return found
        return [problem for problem in found if problem["code"] not in UNMAPPED]

    def can_import(self) -> bool:
        """Whether an import may succeed: not where the file cannot be read, or none of its first rows."""
        if not self.found:
            # Nobody could look at it.
            return True
        return bool(self.found.get("rows")) and not any(problem.get("stops") for problem in self.found["problems"])

    def has_bad_rows(self) -> bool:
        """Whether some of the first rows have problems, so that an import succeeds only without them."""
        return self.can_import() and bool(self.found.get("problems"))

    def sample_columns(self) -> list[str]:
        """The names of the first SHOWN_COLUMNS columns of the file."""
        return list(self.found.get("columns", ())[:SHOWN_COLUMNS])

    def sample_rows(self) -> list[list[str]]:
        """The first rows of the file: for each row, one text per sample column."""
        columns = self.sample_columns()
        return [[row.get(column, "") for column in columns] for row in self.found.get("sample", ())]

    def has_choices(self) -> bool:
        """Whether a field under “More options” differs from its default or has an error."""
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
                self.add_error(
                    f"column_{name}", "This column is already mapped to another field. Choose a different column."
                )
            elif column:
                chosen[name] = column
        self.columns = chosen
        if "use" in self.data and not self.errors:
            self._check_import(cleaned)
        return cleaned

    def _check_import(self, said: dict[str, Any]) -> None:
        """Refuse an import that is known to fail. With the file read in another way, nothing is known."""
        changed = self.changes()
        if any(changed[name] != self.options[name] for name in READ_BY):
            return
        if not self.can_import():
            self.add_error(None, "This file cannot be imported as it is read now. Fix the problems shown below.")
        elif self.has_bad_rows() and said["bad_rows"] == "refuse":
            text = "Some of the first rows have problems, so the file would be rejected. Choose “Leave them out”."
            self.add_error("bad_rows", text)

    def changes(self) -> dict[str, Any]:
        """The form's values as options. Columns that are detected by their names are left out."""
        said = self.cleaned_data
        detected, named = self.found.get("mapping", {}), self.options["columns"]
        fields = {*NEEDED.get(said["layout"], self.needed), *EXTRA, "group"}
        return {
            "file_format": said["file_format"],
            "delimiter": said.get("delimiter", ""),
            "encoding": said.get("encoding", ""),
            "layout": said["layout"],
            "columns": {
                name: column
                for name, column in self.columns.items()
                if name in fields and (name in named or column != detected.get(name))
            },
            "test_share": said["test_percent"] / 100,
            **{name: said[name] for name in CHOICES if name in said},
        }

    def _format(self) -> str:
        return str(self.options["file_format"] or self.found.get("file_format", ""))

    def _last_version(self) -> str:
        """That the options are those of an earlier version, and which of its columns the file lacks."""
        parts = []
        if self.upload.options_from is not None:
            parts.append(f"The options are as in the last version (version {self.upload.options_from}).")
        if self.upload.dropped_columns:
            names = ", ".join(f"“{shown(column)}”" for column in self.upload.dropped_columns)
            parts.append(f"This file has no {names}, which the last version used: choose other columns.")
        return " ".join(parts)

    def _is_table(self) -> bool:
        return self._format() not in {"jsonl", "json", "parquet"}

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
        """Set the choices of a field. The first one detects the value, and shows the detected one."""
        found = titles.get(self.found.get(name, ""))
        first = ours or (f"{found} (detected)" if found and not self.options[name] else "Detect automatically")
        set_by_program = {self.options[name]: self.options[name]} if self.options[name] else {}
        self.fields[name].choices = [(OURS, first), *({**set_by_program, **titles}).items()]  # type: ignore[attr-defined]

    def _column(self, name: str) -> forms.ChoiceField:
        named = self.options["columns"]
        columns = dict.fromkeys([*self.found.get("columns", ()), *named.values()])
        choices = [(column, column) for column in columns]
        # A column that is detected by its name cannot be unmapped.
        if name in named or name not in self.found.get("mapping", {}):
            choices.insert(
                0, ("", "Choose a column" if name in self.needed and name not in self.may_be_missing else "None")
            )
        return forms.ChoiceField(required=False, label=LABELS[name], choices=choices)


def _defaults() -> dict[str, Any]:
    return dataclasses.asdict(Options())
