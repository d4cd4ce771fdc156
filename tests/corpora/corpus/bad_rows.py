"""Classes of files with one bad row among good ones. The check reports its line."""

import gzip
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.corpora.corpus import writing
from tests.corpora.corpus.cases import BadFile

Make = Callable[[Random, int], BadFile]
ASKED = {"role": "user", "content": "Which clause?"}
ANSWERED = {"role": "assistant", "content": "Clause 4"}
FIRST = {"prompt": "prompt", "instruction": "instruction", "classification": "text"}


def among(rng: Random, layout: str, bad: bytes, code: str, *, first: int = 0) -> BadFile:
    """JSON Lines with the line `bad` after at least `first` good ones. Some files are gzipped or use CRLF."""
    lines = [writing.line(row) for row in writing.rows(rng, layout, rng.randint(2, 6))]
    index = rng.randint(first, len(lines))
    lines.insert(index, bad + b"\n")
    content = b"".join(lines)
    if rng.random() < 0.3:
        content = content.replace(b"\n", b"\r\n")
    return BadFile(content=writing.pack(content) if rng.random() < 0.2 else content, code=code, line=index + 1)


def chat(rng: Random, turns: Any, code: str) -> BadFile:
    """One conversation among good ones."""
    return among(rng, "chat", json.dumps({"messages": turns}).encode(), code)


def field(rng: Random, variant: int, value: Any, code: str, file_format: str) -> BadFile:
    """A file of this format with a flat row that has this value instead of a text."""
    layout = writing.FLAT_LAYOUTS[variant % 3]
    name = FIRST[layout] if variant % 2 else writing.ANSWERS[layout]
    rows = writing.rows(rng, layout, 4)
    index = rng.randrange(4)
    rows[index][name] = value
    content = writing.write(rows, file_format)
    packed = rng.random() < 0.3
    return BadFile(
        content=writing.pack(content) if packed else content, code=code, line=writing.place(file_format, index)
    )


def deep_json(rng: Random, variant: int) -> BadFile:
    depth = 1_000_000 if variant < 2 else rng.randint(2_000, 100_000)
    opening, closing = ((b"[", b"]"), (b'{"a":', b"}"))[variant % 2]
    nested = opening * depth + (b"1" + closing * depth if rng.random() < 0.5 else b"")
    if variant % 3 == 0:
        nested = b'{"messages": ' + nested + b"}"
    return among(rng, "chat", nested[:1_000_000], "dataset:broken_line")


def not_a_number(rng: Random, variant: int) -> BadFile:
    value = (b"NaN", b"Infinity", b"-Infinity")[variant % 3]
    row = (b'{"prompt": "q", "completion": %s}', b'{"prompt": "q", "completion": "a", "score": %s}', b"[%s]")[
        variant // 3 % 3
    ]
    return among(rng, "prompt", row % value, "dataset:broken_line")


DUPLICATES = (
    rb'{"prompt": "q", "prompt": "r", "completion": "a"}',
    rb'{"prompt": "q", "completion": "a", "completion": "a"}',
    b'{"prompt": "q", "prompt"\t :"r", "completion": "a"}',
    rb'{"prompt": "q", "pr\u006fmpt": "r", "completion": "a"}',
    rb'{"prompt": "q", "completion": "a", "note": {"a": 1, "a": 2}}',
    rb'{"messages": [{"role": "user", "content": "q"}], "messages": [{"role": "user", "content": "q"}]}',
    rb'{"messages": [{"role": "user", "role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}',
    rb'{"messages": [{"role": "user", "r\u006fle" : "user", "content": "q"}, {"role": "assistant", "content": "a"}]}',
    b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content"  :"b", "content"\r:"a"}]}',
    rb'{"messages": [{"content": "\":", "content": "x", "role": "user"}, {"role": "assistant", "content": "a"}]}',
)


def duplicate_key(rng: Random, variant: int) -> BadFile:
    return among(rng, "chat" if variant > 4 else "prompt", DUPLICATES[variant], "dataset:duplicate_key")


def lone_surrogate(rng: Random, variant: int) -> BadFile:
    half = rng.choice((rb"\ud800", rb"\udfff", rb"\ud83d", rb"\ude00\ud83d"))
    value = b'"%s%s"' % (rng.choice((b"", b"text ")), half)
    if variant < 5:
        return among(rng, "prompt", b'{"prompt": %s, "completion": "a"}' % value, "dataset:encoding")
    turns = b'[{"role": "user", "content": "q"}, {"role": "assistant", "content": %s}]' % value
    return among(rng, "chat", b'{"messages": %s}' % turns, "dataset:encoding")


def nul(rng: Random, variant: int) -> BadFile:
    value = rng.choice(("\0", "a\0", "\0a", "a\0b"))
    if variant < 4:
        return chat(rng, [ASKED, {**ANSWERED, "content": value}], "dataset:nul_character")
    return field(rng, variant, f"{'x' * 100}{value}", "dataset:nul_character", writing.FORMATS[variant % 5])


def latin1(rng: Random, variant: int) -> BadFile:
    word = rng.choice(("Größe", "réponse", "señor", "Ångström"))
    file_format = ("jsonl", "csv", "semicolons", "tsv")[variant % 4]
    good = field(rng, variant, f"{word} {variant}", "dataset:encoding", file_format)
    content = good.content
    packed = content.startswith(b"\x1f\x8b")
    if packed:
        content = gzip.decompress(content)
    content = content.replace(f"{word} {variant}".encode(), f"{word} {variant}".encode("latin-1"))
    return BadFile(content=writing.pack(content) if packed else content, code=good.code, line=good.line)


def long_row(rng: Random, variant: int) -> BadFile:
    value = rng.choice(("x", "é", "🙂 ")) * rng.randint(3_000, 30_000)
    file = field(rng, variant, value, "dataset:row_too_long", writing.FORMATS[variant % 5])
    return BadFile(content=file.content, code=file.code, line=file.line, limits={"max_row_bytes": 2_000})


def mixed_layouts(rng: Random, variant: int) -> BadFile:
    layout = writing.LAYOUTS[variant % 4]
    other = writing.LAYOUTS[(variant + 1 + variant // 4 % 3) % 4]
    code = "missing_messages_list" if layout == "chat" else "dataset:missing_field"
    return among(rng, layout, writing.line(writing.row(rng, other, 9)).strip(), code, first=1)


def unknown_role(rng: Random, variant: int) -> BadFile:
    role = ("narrator", "judge", "usr", "assistent", "critic", "asker", "", " user", None, ["user"])[variant]
    turns: list[Any] = [ASKED, ANSWERED]
    turns.insert(rng.randint(0, 2), {"role": role, "content": "hello"})
    return chat(rng, turns, "unrecognized_role")


def no_answer(rng: Random, variant: int) -> BadFile:
    turns = [ASKED] * (variant % 4) + [{"role": "system", "content": "Be brief"}] * (variant // 4)
    rng.shuffle(turns)
    return chat(rng, turns, "example_missing_assistant_message")


def answer_not_last(rng: Random, variant: int) -> BadFile:
    turns = [ASKED, ANSWERED] * rng.randint(1, 3)
    return chat(
        rng, [*turns, ASKED if variant % 2 else {"role": "system", "content": "End"}], "dataset:answer_not_last"
    )


def one_sided(rng: Random, variant: int) -> BadFile:
    if variant % 2:
        return no_answer(rng, variant)
    turns = [ANSWERED] * (1 + variant // 3)
    return chat(rng, turns, "dataset:missing_prompt")


def not_text(rng: Random, variant: int) -> BadFile:
    value = (1, 1.5, True, ["text"], {"text": "a"}, [{"type": "text", "text": "a"}])[variant % 6]
    if variant < 5:
        return chat(rng, [{**ASKED, "content": value}, ANSWERED], "missing_content")
    return field(rng, 0 if variant % 2 else 1, value, "data_type", "jsonl")


def empty_text(rng: Random, variant: int) -> BadFile:
    if variant < 4:
        value = ("", "  ", "\u2003", None)[variant]
        return chat(rng, [ASKED, {**ANSWERED, "content": value}], "missing_content")
    # An empty prompt may be meant, and is a row's only empty text that may.
    value = rng.choice((" ", None))
    return field(rng, variant, value, "dataset:missing_field", writing.FORMATS[variant % 5])


def turn_keys(rng: Random, variant: int) -> BadFile:
    lacking: list[Any] = [{"role": "user"}, {"content": "q"}, {}, {"speaker": "human", "value": "q"}, {"Role": "user"}]
    if variant < 5:
        return chat(rng, [lacking[variant], ANSWERED], "message_missing_key")
    key, value = (("mood", "glad"), ("images", []), ("draft", True), ("x\0", 1), ("x" * 500, "y"))[variant - 5]
    return chat(rng, [ASKED, {**ANSWERED, key: value}], "message_unrecognized_key")


def no_objects(rng: Random, variant: int) -> BadFile:
    value: Any = ([1], "text", 5, None, True, [[]], -0.5, [{"prompt": "q", "completion": "a"}], [], "")[variant]
    return among(rng, writing.LAYOUTS[variant % 4], json.dumps(value).encode(), "data_type")


BROKEN = (
    b'{"prompt": "q",\n"completion": "a"}',
    b'{"prompt": "q", "completion": "a"} {"prompt": "r", "completion": "b"}',
    b'{"prompt": "q", "completion": "a"}{"prompt": "r", "completion": "b"}',
    b'{"prompt": "q", "completion": "a",}',
    b"{'prompt': 'q', 'completion': 'a'}",
    b'{"prompt": "q", "completion": "a"} // note',
    b'{prompt: "q", "completion": "a"}',
    b'{"prompt": "q" "completion": "a"}',
    b'{"prompt": "tab\there", "completion": "a"}',
    rb'{"prompt": "\x41", "completion": "a"}',
)


def broken_line(rng: Random, variant: int) -> BadFile:
    # As the first row, one over two lines begins a file of rows over several lines.
    return among(rng, "prompt", BROKEN[variant], "dataset:broken_line", first=1 if variant == 0 else 0)


def wrong_mark(rng: Random, variant: int) -> BadFile:
    marks: list[tuple[dict[str, Any], str]] = [
        ({"split": "dev"}, "dataset:unknown_split"),
        ({"split": "trian"}, "dataset:unknown_split"),
        ({"split": 1}, "dataset:unknown_split"),
        ({"split": ["test"]}, "data_type"),
        ({"label": {"a": 1}}, "data_type"),
        ({"label": "x" * 81}, "data_type"),
        ({"slice": 0.5}, "data_type"),
        ({"slice": "a\0b"}, "dataset:nul_character"),
        ({"slice": ["a"]}, "data_type"),
        ({"slice": "y" * 500}, "data_type"),
    ]
    mark, code = marks[variant]
    bad = writing.line(writing.row(rng, "prompt", 99) | mark).strip()
    return among(rng, "prompt", bad, code)


CLASSES: dict[str, Make] = {
    "JSON a million deep": deep_json,
    "NaN and Infinity": not_a_number,
    "a key twice": duplicate_key,
    "half a character": lone_surrogate,
    "NUL": nul,
    "Latin-1": latin1,
    "a row over the limit": long_row,
    "mixed layouts": mixed_layouts,
    "an unknown role": unknown_role,
    "only one side speaks": one_sided,
    "the answer not last": answer_not_last,
    "content that is no text": not_text,
    "empty content": empty_text,
    "missing and unknown keys": turn_keys,
    "rows that are no objects": no_objects,
    "broken lines": broken_line,
}
