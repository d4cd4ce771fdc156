"""Kinds of files that are messy but valid. Each is accepted and read correctly."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from tests.corpora.corpus import writing
from tests.corpora.corpus.cases import GoodFile, ReadRow
from tests.corpora.corpus.writing import ANSWERS, FLAT_LAYOUTS, FORMATS, LAYOUTS, TABLES, Row, pack, table, write

Make = Callable[[Random, int], GoodFile]
ASKED = {"prompt": "prompt", "instruction": "instruction", "classification": "text"}


def read(row: Row, layout: str) -> ReadRow:
    """The expected result of reading a row of `writing.row`."""
    if layout == "chat":
        return ReadRow(turns=tuple((turn["role"], turn["content"]) for turn in row["messages"]))
    turns = (("user", row[ASKED[layout]]), ("assistant", str(row[ANSWERS[layout]])))
    return ReadRow(turns=turns, label=str(row["label"]) if layout == "classification" else None)


def wanted(rows: list[Row], layout: str) -> list[ReadRow]:
    return [read(row, layout) for row in rows]


def plain(rng: Random, variant: int) -> GoodFile:
    layout = LAYOUTS[variant % 4]
    rows = writing.rows(rng, layout, 8)
    return GoodFile(content=write(rows, "jsonl"), rows=wanted(rows, layout))


def flat(rng: Random, variant: int) -> GoodFile:
    layout, file_format = FLAT_LAYOUTS[variant % 3], FORMATS[variant % 5]
    rows = writing.rows(rng, layout, 8)
    return GoodFile(content=write(rows, file_format), rows=wanted(rows, layout))


def packed(rng: Random, variant: int) -> GoodFile:
    layout, file_format = FLAT_LAYOUTS[variant % 3], FORMATS[variant % 5]
    rows = writing.rows(rng, layout, 8)
    whole = write(rows, file_format)
    # Several gzip members are one file, and trailing zeros are padding.
    content = pack(whole[:50]) + gzip.compress(whole[50:], 1) + b"\0" * rng.choice((0, 1, 512))
    return GoodFile(content=content, rows=wanted(rows, layout))


def line_ends(rng: Random, variant: int) -> GoodFile:
    layout = LAYOUTS[variant % 4]
    rows = writing.rows(rng, layout, 8)
    ends = ("\r\n", "\n\n", " \n", "\r\n\r\n", "\n \t\r\n")
    lines = [json.dumps(row, ensure_ascii=False) + rng.choice(ends) for row in rows]
    content = ("\ufeff" * (variant % 2) + "\n" * rng.randint(0, 3) + "".join(lines)).encode()
    return GoodFile(content=content.rstrip() if variant % 3 else content, rows=wanted(rows, layout))


def escaped(value: str, rng: Random) -> str:
    """A JSON string with some unnecessary escapes."""
    pairs = (character.encode("utf-16-be").hex() for character in value)
    return '"' + "".join(
        "".join(f"\\u{code[at : at + 4]}" for at in range(0, len(code), 4))
        if rng.random() < 0.4
        else json.dumps(character, ensure_ascii=rng.random() < 0.5)[1:-1]
        for character, code in zip(value, pairs, strict=True)
    ) + '"'  # fmt: skip


def spaced(value: Any, rng: Random) -> str:
    """JSON with unusual white space, key order and escapes."""

    def gap() -> str:
        return rng.choice(("", "", " ", "\t", "  ", "\r"))

    if isinstance(value, dict):
        names = rng.sample(list(value), len(value))
        parts = (f"{gap()}{escaped(name, rng)}{gap()}:{gap()}{spaced(value[name], rng)}{gap()}" for name in names)
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ",".join(f"{gap()}{spaced(item, rng)}{gap()}" for item in value) + "]"
    return escaped(value, rng) if isinstance(value, str) else json.dumps(value)


def odd_json(rng: Random, variant: int) -> GoodFile:
    layout = LAYOUTS[variant % 4]
    rows = writing.rows(rng, layout, 8)
    return GoodFile(content="\n".join(spaced(row, rng) for row in rows).encode(), rows=wanted(rows, layout))


def ascii_json(rng: Random, variant: int) -> GoodFile:
    layout = LAYOUTS[variant % 4]
    rows = writing.rows(rng, layout, 8)
    lines = [json.dumps(row).replace("/", r"\/") for row in rows]
    return GoodFile(content="\n".join(lines).encode(), rows=wanted(rows, layout))


TRICKY = ('":', '\\":', '\\', '"', '{"role" :', '}\n{', '\\u0000 is not NUL', 'NaN', '\u2028', '\x7f\x1b', 'null',
          '[]', 'e\u0301', '\u202eright to left', '👩‍👩‍👧‍👦', '\ufeff', ' lead and trail ', '\r\n', 'C:\\temp',
          "' OR 1=1 --")  # fmt: skip


def tricky_texts(rng: Random, variant: int) -> GoodFile:
    layout, file_format = FLAT_LAYOUTS[variant % 3], FORMATS[variant % 5]
    rows = [row | {ASKED[layout]: f"{TRICKY[(number + variant) % len(TRICKY)]} {number}"}
            for number, row in enumerate(writing.rows(rng, layout, 10))]  # fmt: skip
    return GoodFile(content=write(rows, file_format), rows=wanted(rows, layout))


def capitals(rng: Random, variant: int) -> GoodFile:
    layout, file_format = FLAT_LAYOUTS[variant % 3], tuple(TABLES)[variant % 3]
    rows = writing.rows(rng, layout, 8)
    head, _, body = table(rows, TABLES[file_format]).partition(b"\r\n")
    delimiter = TABLES[file_format].encode()
    head = (head.upper(), head.title(), head.replace(delimiter, b" " + delimiter))[variant % 3]
    return GoodFile(content=b"\xef\xbb\xbf" * (variant % 2) + head + b"\n" + body, rows=wanted(rows, layout))


def extra_columns(rng: Random, variant: int) -> GoodFile:
    layout, file_format = FLAT_LAYOUTS[variant % 3], FORMATS[variant % 5]
    rows = writing.rows(rng, layout, 8)
    wide = [{"id": number, **row, "source": rng.choice((None, "mail"))} for number, row in enumerate(rows)]
    return GoodFile(content=write(wide, file_format), rows=wanted(rows, layout))


def formulas(rng: Random, variant: int) -> GoodFile:
    rows = writing.rows(rng, "prompt", 8)
    for number, row in enumerate(rows):
        row["completion"] = f"{rng.choice('=+-@')}cmd|' /C calc'!A{number}"
    return GoodFile(content=write(rows, FORMATS[variant % 5]), rows=wanted(rows, "prompt"))


def line_breaks(rng: Random, variant: int) -> GoodFile:
    layout, file_format = FLAT_LAYOUTS[variant % 3], tuple(TABLES)[variant % 3]
    rows = writing.rows(rng, layout, 8)
    for row in rows:
        row[ASKED[layout]] += rng.choice(("\n", "\r\n", "\n\n")) + 'and "then" ' + TABLES[file_format]
    return GoodFile(content=table(rows, TABLES[file_format]), rows=wanted(rows, layout))


def numbers(rng: Random, variant: int) -> GoodFile:
    rows = writing.rows(rng, "classification", 8)
    for number, row in enumerate(rows):
        row["label"] = (-1) ** number * (number % 4)
    return GoodFile(content=write(rows, FORMATS[variant % 5]), rows=wanted(rows, "classification"))


def nulls(rng: Random, variant: int) -> GoodFile:
    chats = writing.rows(rng, "chat", 8)
    result = wanted(chats, "chat")
    for row in chats:
        row |= {"split": None, "slice": None, "label": None, "weight": None}
        for turn in row["messages"]:
            turn |= {"name": None, "tool_calls": None}
    return GoodFile(content=write(chats, ("jsonl", "parquet")[variant % 2]), rows=result)


def long_rows(rng: Random, variant: int) -> GoodFile:
    layout, file_format = FLAT_LAYOUTS[variant % 3], FORMATS[variant % 5]
    rows = writing.rows(rng, layout, 4)
    rows[variant % 4][ASKED[layout]] = "x" * 9_700
    return GoodFile(content=write(rows, file_format), rows=wanted(rows, layout), limits={"max_row_bytes": 10_000})


def mapped(rng: Random, variant: int) -> GoodFile:
    layout, file_format = FLAT_LAYOUTS[variant % 3], FORMATS[variant % 5]
    rows = writing.rows(rng, layout, 8)
    names = {ASKED[layout]: "Frage", ANSWERS[layout]: "Antwort (final)"}
    renamed = [{"No": number, **{names[name]: value for name, value in row.items()}} for number, row in enumerate(rows)]
    return GoodFile(content=write(renamed, file_format), rows=wanted(rows, layout), options={"columns": names})


def named_splits(rng: Random, variant: int) -> GoodFile:
    layout, file_format = FLAT_LAYOUTS[variant % 3], FORMATS[variant % 5]
    rows = writing.rows(rng, layout, 10)
    result = []
    for number, row in enumerate(rows):
        held = number % 3 == 1
        result.append(replace(read(row, layout), split="test" if held else "train"))
        row["split"] = rng.choice(("test", "validation", "TEST")) if held else rng.choice(("train", "Train", " train "))
    return GoodFile(content=write(rows, file_format), rows=result)


def slices(rng: Random, variant: int) -> GoodFile:
    layout, file_format = ("prompt", "instruction")[variant % 2], FORMATS[variant % 5]
    rows = writing.rows(rng, layout, 10)
    result = []
    for number, row in enumerate(rows):
        row |= {"slice": rng.choice(("north", "", None)), "label": ("a", None)[number % 2]}
        result.append(replace(read(row, layout), slice=row["slice"] or "all", label=row["label"]))
    return GoodFile(content=write(rows, file_format), rows=result)


def conversations(rng: Random, variant: int) -> GoodFile:
    rows, result = [], []
    for number in range(8):
        turns = [{"role": rng.choice(("system", "user", "assistant")), "content": writing.text(rng, number)}
                 for _ in range(rng.randint(0, 6))]  # fmt: skip
        turns += writing.row(rng, "chat", number)["messages"]
        rows.append({"messages": turns})
        result.append(read(rows[-1], "chat"))
    return GoodFile(content=write(rows, ("jsonl", "parquet")[variant % 2]), rows=result)


def instructions(rng: Random, variant: int) -> GoodFile:
    rows, result = writing.rows(rng, "instruction", 8), []
    for row in rows:
        row |= {"input": rng.choice(("", None, "The text")), "system": rng.choice(("", None, "Be kind"))}
        asked = f"{row['instruction']}\n\n{row['input']}" if row["input"] else row["instruction"]
        system = (("system", row["system"]),) if row["system"] else ()
        result.append(ReadRow(turns=(*system, ("user", asked), ("assistant", row["output"]))))
    return GoodFile(content=write(rows, FORMATS[variant % 5]), rows=result)


def forced(rng: Random, variant: int) -> GoodFile:
    rows = writing.rows(rng, "prompt", 8)
    if variant % 2:
        content = table(rows, "|")
        return GoodFile(content=content, rows=wanted(rows, "prompt"), options={"file_format": "csv", "delimiter": "|"})
    # The columns match both layouts, so an option sets the layout.
    both = [row | {"text": f"{row['prompt']}!", "label": "x"} for row in rows]
    result = [ReadRow(turns=(("user", row["text"]), ("assistant", "x")), label="x") for row in both]
    content = write(both, FORMATS[variant % 5])
    return GoodFile(content=content, rows=result, options={"layout": "classification"})


KINDS: dict[str, Make] = {
    "plain JSON Lines": plain,
    "flat rows in every format": flat,
    "gzip, of several members": packed,
    "other line ends, blank lines, a byte order mark": line_ends,
    "white space, key orders and escapes": odd_json,
    "JSON in ASCII": ascii_json,
    "texts that look like something else": tricky_texts,
    "capitalised columns": capitals,
    "columns that are not used": extra_columns,
    "formulas": formulas,
    "line breaks in cells": line_breaks,
    "numbers for labels": numbers,
    "null where nothing is said": nulls,
    "long rows within the limit": long_rows,
    "columns of other names": mapped,
    "named splits": named_splits,
    "slices and labels": slices,
    "conversations": conversations,
    "instructions with input and system": instructions,
    "the format or the layout as somebody said": forced,
}
