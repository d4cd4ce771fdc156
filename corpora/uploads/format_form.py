"""The form for the import options of an uploaded file."""

import dataclasses
import math
from typing import Any, NamedTuple

from django import forms
from django.core.validators import MaxLengthValidator
from django.forms.boundfield import BoundField
from django.http import QueryDict

from corpora.contexts import contexts
from corpora.ingest.contracts import MAX_KEPT_COLUMNS, SHOWN_COLUMNS, Options
from corpora.ingest.problems import shown
from corpora.models import Dataset, Upload
from corpora.uploads.kept import does_not_fit, kept_options
from corpora.uploads.understood import file_facts, first_rows, ignored_columns, looks_like, personal_data
from corpora.versions.last_options import READ_BY

NEEDED = {
    "chat": ("messages",),
    "ShareGPT": ("messages",),
    "exchanges": ("messages",),
    "transcript": ("text",),
    "prompt and completion": ("prompt", "completion"),
    "instruction": ("instruction", "input", "output"),
    "classification": ("text", "label"),
    "preference": ("prompt", "chosen", "rejected"),
    "KTO": ("prompt", "completion", "label"),
}
"""The fields of each layout. Only those of `OPTIONAL` may be missing."""

OPTIONAL = {("instruction", "input"), ("preference", "prompt"), ("KTO", "prompt"), ("KTO", "completion")}
CLEANING = ("bad_rows", "personal_data", "over_long", "leaks", "near_leaks")
CHOICES = (*CLEANING, "reasoning", "context", "seed")
EXTRA = ("system", "tools", "label", "split", "slice")
LABELS = {
    "messages": "Conversation",
    "prompt": "Prompt",
    "completion": "Answer",
    "instruction": "Instruction",
    "input": "Input",
    "output": "Answer",
    "text": "Text",
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
    "exchanges": "Questions and answers in turn",
    "transcript": "Conversation in one text",
    "prompt and completion": "Prompt and answer",
    "instruction": "Instruction, input and answer",
    "classification": "Text and label",
    "preference": "Preferences (chosen and rejected)",
    "KTO": "Preferences (good or bad answers)",
}


UNMAPPED = ("missing_messages_list", "dataset:missing_field")
"""What is said of columns of which none is known."""

PREFERENCES = "dataset:preference_data"
"""What is said of preference data, for which the page has a choice of its own."""

SHOWN_PROBLEMS = 5
"""Number of different problems that are shown."""

TOO_MANY_KEPT = f"Choose up to {MAX_KEPT_COLUMNS} columns. Untick some."

FEWEST_HELD_OUT, MOST_PERCENT = 10, 25
"""A small file is suggested to hold out so many rows, but no larger share than this."""

OURS = "ours"
"""The form value of "detect automatically", which is an empty option."""


class OurChoice(forms.TypedChoiceField):
    """A choice whose first entry leaves the option empty, so that the value is detected."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=lambda value: "" if value == OURS else value, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value or OURS


class TickBox(forms.CheckboxInput):
    """A checkbox that sends one of two values of an option."""

    def __init__(self, on: str) -> None:
        super().__init__(attrs={"value": on}, check_test=lambda value: value in (on, True))
        self.on = on

    def value_from_datadict(self, data: Any, files: Any, name: str) -> bool:
        return bool(data.get(name) == self.on)

    def format_value(self, value: Any) -> str:
        return self.on


class Tick(forms.BooleanField):
    """A checkbox for an option with the values `on` and `off`."""

    def __init__(self, on: str, off: str, **kwargs: Any) -> None:
        super().__init__(required=False, widget=TickBox(on), **kwargs)
        self.on, self.off = on, off

    def clean(self, value: Any) -> str:
        return self.on if value else self.off


class Cleaning(NamedTuple):
    """One part of the clean step: its checkbox, and what is known of the rows that it concerns."""

    field: BoundField
    note: str
    has_rows_shown: bool = False


class FormatForm(forms.Form):
    """The import options and the dataset of `upload`. Initial values are the options set before, or detected."""

    dataset = forms.ModelChoiceField(
        Dataset._base_manager.none(),
        required=False,
        empty_label="New dataset",
        label="Dataset",
        help_text=(
            "In an existing dataset, the file becomes the next version, imported as this preview shows it. To begin "
            "with the options of its last version, upload the file from the dataset’s page."
        ),
    )
    name = forms.CharField(max_length=120, required=False, label="Name of the new dataset")
    file_format = OurChoice(label="Format")
    delimiter = OurChoice(label="Column separator")
    encoding = OurChoice(label="Text encoding", help_text="Change it if accented characters look wrong.")
    layout = OurChoice(label="Row layout")
    bad_rows = Tick("leave_out", "refuse", label="Leave out rows with problems")
    personal_data = Tick("mask", "keep", label="Mask personal data and keys")
    over_long = Tick("leave_out", "keep", label="Leave out rows that are too long for the base model")
    leaks = Tick("leave_out", "keep", label="Leave out rows whose prompt is also in the other split")
    near_leaks = Tick("leave_out", "keep", label="Leave out test rows much like training rows")
    reasoning = forms.ChoiceField(
        choices=[("drop", "Leave it out"), ("keep", "Keep it, for base models that reason")],
        label="Reasoning in answers",
    )
    metadata = forms.MultipleChoiceField(
        label="Keep for filtering",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=(
            f"Up to {MAX_KEPT_COLUMNS} columns by which the results of evaluations can be filtered. The model does not "
            "read them."
        ),
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
        mapping = self.found.get("mapping", {})
        self.proposed = {name: mapping[name] for name in self.found.get("proposed", ()) if name in mapping}
        self.detected = {name: column for name, column in mapping.items() if name not in self.proposed}
        self.held_out_percent = self._held_out_percent()
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
        if not self.found.get("notices", {}).get("dataset:reasoning"):
            del self.fields["reasoning"]
        self._offer_metadata()
        self._explain_held_out()
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
        """Why rows cannot be read, and how many `more` have the same problem.

        As long as no column was chosen or is known, not that none is.
        """
        found: list[dict[str, Any]] = []
        for problem in self.found.get("problems", ()):
            same = next((other for other in found if other["text"] == problem["text"]), None)
            if same:
                same["more"] += 1
            elif problem["code"] != PREFERENCES:
                found.append({**problem, "more": 0})
        if not (self.found.get("mapping") or self.options["layout"] or self.options["columns"]):
            found = [problem for problem in found if problem["code"] not in UNMAPPED]
        return found[:SHOWN_PROBLEMS]

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

    def facts(self) -> list[str]:
        """The file's name, size, format and number of rows."""
        return file_facts(self.upload)

    def looks_like(self) -> str:
        """What the rows look like; empty if that is not known."""
        return looks_like(self.found, chosen=bool(self.options["layout"]))

    def ignored(self) -> str:
        """Which columns are ignored; empty if none are."""
        return ignored_columns(self.found)

    def kept(self) -> str:
        """Which options on how the file is read came from which version; empty if none did."""
        return kept_options(self.upload)

    def does_not_fit(self) -> bool:
        """Whether options of an earlier version do not fit this file."""
        return does_not_fit(self.upload)

    def is_preference_data(self) -> bool:
        """Whether the rows are preference data."""
        return self.found.get("layout") in {"preference", "KTO"}

    def takes_chosen(self) -> bool:
        """Whether the chosen answers of preference data are trained on."""
        return bool(self.options["preferences"] == "chosen")

    def duplicates(self) -> str:
        """How many of the first rows repeat another; empty if none do."""
        count = self.found.get("notices", {}).get("dataset:duplicate_row")
        return f"{count:,} {first_rows(self.found)}" if count else ""

    def has_several_answers(self) -> bool:
        """Whether a row that is shown has more than one answer to learn."""
        learnt = (
            sum(turn["role"] == "assistant" and turn.get("weight", 1) for turn in row["messages"])
            for row in self.found.get("rows", ())
        )
        return max(learnt, default=0) > 1

    def empty_prompts(self) -> str:
        """How many of the first rows have an empty prompt; empty if none do."""
        count = self.found.get("notices", {}).get("dataset:empty_prompt")
        return f"{count:,} {first_rows(self.found)}" if count else ""

    def uses_tools(self) -> bool:
        """Whether some of the first rows use tools."""
        return bool(self.found.get("notices", {}).get("dataset:uses_tools"))

    def cleaning(self) -> list[Cleaning]:
        """The parts of the clean step."""
        of_rows, notices = first_rows(self.found), self.found.get("notices", {})

        def noted(count: int) -> str:
            return f"{count:,} {of_rows}" if count else f"none {of_rows}"

        bad = self.found.get("rows_with_problems", 0)
        if not self.found.get("rows_read"):
            return [Cleaning(self[name], "") for name in CLEANING]
        return [
            Cleaning(self["bad_rows"], noted(bad), has_rows_shown=bool(bad)),
            Cleaning(self["personal_data"], personal_data(self.found) or noted(0)),
            Cleaning(self["over_long"], noted(notices.get("dataset:over_long", 0))),
            Cleaning(self["leaks"], "known after the import"),
            Cleaning(self["near_leaks"], "known after the import"),
        ]

    def has_choices(self) -> bool:
        """Whether a field under “More options” differs from its default or has an error."""
        defaults = _defaults()
        chosen = any(self.options[name] != defaults[name] for name in ("context", "seed"))
        chosen |= self.held_out_percent != 100 * defaults["test_share"]
        wrong = any(name in self.errors for name in ("context", "seed", "test_percent", "column_group"))
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
        changed, looked_at = self.changes(), {**self.options, "columns": {**self.proposed, **self.options["columns"]}}
        if any(changed[name] != looked_at[name] for name in READ_BY):
            return
        if not self.can_import():
            self.add_error(None, "This file cannot be imported as it is read now. Fix the problems shown below.")
        elif self.has_bad_rows() and said["bad_rows"] == "refuse":
            text = "Some of the first rows have problems, so the file would be rejected. Leave them out or fix them."
            self.add_error("bad_rows", text)

    def changes(self) -> dict[str, Any]:
        """The form's values as options. Columns that are detected by their names are left out."""
        said, named = self.cleaned_data, self.options["columns"]
        fields = {*NEEDED.get(said["layout"], self.needed), *EXTRA, "group"}
        return {
            "file_format": said["file_format"],
            "delimiter": said.get("delimiter", ""),
            "encoding": said.get("encoding", ""),
            "layout": said["layout"],
            "columns": {
                name: column
                for name, column in self.columns.items()
                if name in fields and (name in named or column != self.detected.get(name))
            },
            "metadata": self._chosen_metadata(said),
            "test_share": said["test_percent"] / 100,
            **{name: said[name] for name in CHOICES if name in said},
        }

    def _offer_metadata(self) -> None:
        """The columns that can be kept for filtering; none are offered where there are none."""
        named = self.options["metadata"] or ()
        offered = dict.fromkeys([*self.found.get("keepable", ()), *named])
        if not offered:
            del self.fields["metadata"]
            return
        self.fields["metadata"].choices = [(column, column) for column in offered]  # type: ignore[attr-defined]
        self.fields["metadata"].validators.append(MaxLengthValidator(MAX_KEPT_COLUMNS, TOO_MANY_KEPT))

    def _chosen_metadata(self, said: dict[str, Any]) -> list[str] | None:
        """The columns chosen; None where they are as they are guessed, or nothing could be chosen."""
        if "metadata" not in said:
            named: list[str] | None = self.options["metadata"]
            return named
        chosen = list(said["metadata"])
        is_guess = self.options["metadata"] is None and set(chosen) == set(self.found.get("metadata", ()))
        return None if is_guess else chosen

    def _format(self) -> str:
        return str(self.options["file_format"] or self.found.get("file_format", ""))

    def _held_out_percent(self) -> float:
        """The share chosen; of a small file for which none was, one that leaves enough rows to test on."""
        percent, usual = float(100 * self.options["test_share"]), 100 * _defaults()["test_share"]
        rows = self.found.get("row_count")
        is_chosen = percent != usual or self.upload.options_from is not None
        if is_chosen or not rows or "split" in self.found.get("mapping", {}):
            return percent
        enough: float = math.ceil(100 * FEWEST_HELD_OUT / rows)
        return max(percent, min(MOST_PERCENT, enough))

    def _explain_held_out(self) -> None:
        if self.held_out_percent != 100 * self.options["test_share"]:
            self.fields["test_percent"].help_text = (
                f"Suggested because the file is small: {self.options['test_share']:.0%} would leave too few rows to "
                "tell whether an adapter is better. Not used if the file has a split."
            )

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
        if options["bad_rows"] == "refuse" and self.has_bad_rows():
            options = {**options, "bad_rows": "leave_out"}
        return {
            **options,
            "metadata": options["metadata"] if options["metadata"] is not None else self.found.get("metadata", ()),
            "test_percent": f"{self.held_out_percent:g}",
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
        if name in named or name not in self.detected:
            choices.insert(
                0, ("", "Choose a column" if name in self.needed and name not in self.may_be_missing else "None")
            )
        field = forms.ChoiceField(required=False, label=LABELS[name], choices=choices)
        field.is_guessed = name in self.found.get("guessed", ()) and name not in named  # type: ignore[attr-defined]
        return field


def _defaults() -> dict[str, Any]:
    return dataclasses.asdict(Options())
