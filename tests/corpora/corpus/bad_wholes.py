"""Classes of files that are bad as a whole: damaged archives, files that are not datasets, and malformed tables."""

import io
import json
import zipfile
from random import Random

import pyarrow as pa

from tests.corpora.corpus import writing
from tests.corpora.corpus.bad_rows import Make, wrong_mark
from tests.corpora.corpus.cases import BadFile
from tests.corpora.corpus.writing import TABLES, pack, parquet, parquet_table, table, write

ANY = (*((layout, "jsonl") for layout in writing.LAYOUTS), *(("prompt", name) for name in (*TABLES, "parquet")))


def good(rng: Random, variant: int, count: int = 4) -> bytes:
    """A good file of some layout and format."""
    layout, file_format = ANY[variant % len(ANY)]
    return write(writing.rows(rng, layout, count), file_format)


def bomb(rng: Random, variant: int) -> BadFile:
    begun = (b'{"prompt": "', b"prompt,completion\n", good(rng, variant % 4), b"", b"\n")[variant % 5]
    content = pack(begun + bytes([rng.choice(b"a\n ")]) * rng.randint(2_000_000, 6_000_000))
    return BadFile(content=content, code="dataset:too_large", line=0, limits={"max_unpacked_bytes": 1_000_000})


def damaged_gzip(rng: Random, variant: int) -> BadFile:
    packed = bytearray(pack(good(rng, variant)))
    if variant < 4:
        content = bytes(packed[: rng.randint(3, len(packed) - 1)])
    elif variant < 7:
        content = bytes(packed) + rng.choice((b"x", b"{}\n", b"\x1f\x8b", b"PAR1"))
    else:
        # In the checksum or the length, which cannot match by chance.
        packed[-rng.randint(1, 8)] ^= 1 << rng.randint(0, 7)
        content = bytes(packed)
    return BadFile(content=content, code="dataset:broken_archive", line=0)


def archive(rng: Random, variant: int) -> BadFile:
    inside = good(rng, variant)
    if variant < 5:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[variant % 2]) as file:
            for name in (("a.jsonl", "b.jsonl"), ("[Content_Types].xml", "xl/workbook.xml"), ("a.csv", "b.csv"))[
                variant % 3
            ]:
                file.writestr(name, inside)
        content = buffer.getvalue()
    elif variant < 7:
        content = pack(inside)
    else:
        content = (b"7z\xbc\xaf\x27\x1c\0\x04", b"\xfd7zXZ\0\0\x04", b"Rar!\x1a\x07\x01\0")[variant - 7] + inside
    # The check unpacks one layer of gzip only.
    return BadFile(content=pack(content) if 5 <= variant < 8 else content, code="dataset:not_a_dataset", line=0)


# Old Office, PDF, PNG, JPEG, SQLite.
HEADS = (
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"SQLite format 3\0",
)  # fmt: skip


def other_file(rng: Random, variant: int) -> BadFile:
    if variant % 2:
        return archive(rng, variant)
    return BadFile(content=HEADS[variant // 2] + rng.randbytes(500), code="dataset:not_a_dataset", line=0)


def utf16(rng: Random, variant: int) -> BadFile:
    """UTF-16 with a broken character or as something else, and UTF-32."""
    rows = [{"prompt": f"question {n}", "completion": "answer"} for n in range(5)]
    text = (writing.jsonl(rows) if variant % 2 else table(rows, ",;\t"[variant % 3])).decode()
    codec = ("utf-16-le", "utf-16-be")[variant // 2 % 2]
    whole = text.encode(codec)
    options: dict[str, str] = {}
    if variant < 4:
        content, line = whole[: rng.randint(20, 90) * 2 + 1], None
    elif variant < 6:
        content, line = whole + "\ud800".encode(codec, "surrogatepass") + whole, 7 if variant % 2 == 0 else 6
    elif variant < 8:
        content, line = text.encode("utf-32"), 0
    else:
        content, line, options = text.encode("utf-16"), 0, {"encoding": "utf-8"}
    return BadFile(
        content=pack(content) if variant in {3, 6} else content, code="dataset:encoding", line=line, options=options
    )


def cut_short(rng: Random, variant: int) -> BadFile:
    layout, file_format = ANY[variant % 7]
    rows = writing.rows(rng, layout, rng.randint(3, 6))
    if file_format == "jsonl":
        whole = write(rows, file_format)
        start = len(write(rows[:-1], file_format))
        content = whole[: rng.randint(start + 2, len(whole) - 2)]
    else:
        # Cut inside the last row's quoted text.
        content = write(rows[:-1], file_format) + b'"half a quest'
    line = writing.place(file_format, len(rows) - 1)
    return BadFile(content=content, code="dataset:broken_line", line=line)


def empty(rng: Random, variant: int) -> BadFile:
    blank = rng.choice((b" \n", b"\r\n", b"\t \n\n")) * rng.randint(1, 50)
    header = table([{"prompt": "", "completion": ""}], ",;\t"[variant % 3]).splitlines(keepends=True)[0]
    content = (
        b"\n", b"\xef\xbb\xbf", blank, b"\xef\xbb\xbf" + blank, header, header + b"\r\n" * rng.randint(1, 50),
        pack(b""), pack(blank), pack(header),
        parquet_table(pa.table({"prompt": pa.array([], pa.string()), "completion": []})),
    )[variant]  # fmt: skip
    return BadFile(content=content, code="dataset:empty_file", line=0)


def one_row(rng: Random, variant: int) -> BadFile:
    layout, file_format = ANY[variant % 7]
    rows = writing.rows(rng, layout, 1)
    # Duplicate rows count as one row.
    content = write(rows * (1 if variant < 5 else 3), file_format)
    return BadFile(content=content, code="dataset:too_few_rows", line=0)


def no_lines(rng: Random, variant: int) -> BadFile:
    whole = (
        json.dumps(["a", "b"]), json.dumps({"name": "x"}, indent=2)[1:], json.dumps([1, 2], indent=2),
        "Dear all,\nplease find enclosed", "<html><body>404</body></html>", "prompt\nonly one column\n",
        "---\n- prompt: q\n  completion: a\n", "q1 ~ a1\nq2 ~ a2\n", "1,2\n3,4\n", json.dumps([["q", "a"]]) + "\n",
    )[variant]  # fmt: skip
    return BadFile(content=whole.encode(), code="dataset:not_a_dataset", line=1)


def broken_table(rng: Random, variant: int) -> BadFile:
    file_format = tuple(TABLES)[variant % 3]
    delimiter = TABLES[file_format].encode()
    lines = table(writing.rows(rng, "prompt", rng.randint(2, 6)), TABLES[file_format]).splitlines(keepends=True)
    kinds = (b'"never closed%ba', b'"closed" too early%ba', b"only one cell", b"one%btwo%bthree", b"one%b%b%b")
    index = rng.randint(1, len(lines))
    lines.insert(index, kinds[variant % 5].replace(b"%b", delimiter) + b"\r\n")
    return BadFile(content=b"".join(lines), code="dataset:broken_line", line=index + 1)


def wrong_columns(rng: Random, variant: int) -> BadFile:
    rows = [{"topic": f"q{number}", "remark": writing.text(rng, number)} for number in range(3)]
    if variant < 5:
        content = write(rows, writing.FORMATS[1:][variant % 4])
        return BadFile(content=content, code="dataset:missing_field", line=0 if variant == 3 else 1)
    names = ("prompt,completion,prompt", "Prompt;completion;PROMPT", "text\tlabel\tlabel", "messages,prompt")
    if variant < 8:
        content = f"{names[variant - 5]}\n".encode() + b"a,b,c\n" * 3
        return BadFile(content=content, code="dataset:duplicate_key", line=1)
    lacking = [{"instruction": row["topic"], "split": "train"} for row in rows]
    file_format = ("csv", "parquet")[variant - 8]
    return BadFile(content=write(lacking, file_format), code="dataset:missing_field", line=1 - variant % 2)


def wrong_whole(rng: Random, variant: int) -> BadFile:
    layout = writing.LAYOUTS[variant % 4]
    rows = writing.rows(rng, layout, 60)
    if variant % 2:
        return wrong_mark(rng, variant)
    if variant < 5:
        name = rng.choice(("test", "Test", "validation"))
        content = writing.jsonl([row | {"split": name} for row in rows[:5]])
        return BadFile(content=content, code="dataset:no_train_rows", line=0)
    marked = [row | {"slice": f"slice {number}"} for number, row in enumerate(rows)]
    file_format = "jsonl" if layout == "chat" else writing.FORMATS[variant % 5]
    return BadFile(
        content=write(marked, file_format), code="dataset:too_many_slices", line=writing.place(file_format, 50)
    )


def damaged_parquet(rng: Random, variant: int) -> BadFile:
    whole = parquet(writing.rows(rng, writing.LAYOUTS[variant % 4], 20))
    if variant < 4:
        content = whole[: rng.randint(8, len(whole) - 8)]
    elif variant < 6:
        content = b"PAR1" + rng.randbytes(200) + b"PAR1"
    elif variant < 8:
        content = whole[:-8] + rng.choice((b"\xff\xff\xff\x7f", b"\0\0\0\0")) + b"PAR1"
    else:
        content = pack(whole[: rng.randint(8, len(whole) - 8)])
    return BadFile(content=content, code="dataset:broken_file", line=0)


def odd_parquet(rng: Random, variant: int) -> BadFile:
    texts = [writing.text(rng, number) for number in range(3)]
    odd = (
        pa.array([1, 2, 3]), pa.array([0.5, 1.5, 2.5]), pa.array([b"\xff", b"a", b"b"]), pa.array([True, False, True]),
        pa.array([["a"], ["b"], ["c"]]), pa.array([{"a": "b"}] * 3), pa.array([1, 2, 3], pa.timestamp("us")),
        pa.array([[("a", "b")]] * 3, pa.map_(pa.string(), pa.string())), pa.array([1, 2, 3], pa.date32()),
    )  # fmt: skip
    if variant == 9:
        messages = [[{"speaker": "user", "text": value}] for value in texts]
        return BadFile(
            content=parquet([{"messages": value} for value in messages]), code="dataset:missing_field", line=0
        )
    name, other = ("prompt", "completion") if variant % 2 else ("completion", "prompt")
    content = parquet_table(pa.table({name: odd[variant], other: texts}))
    if variant == 2:
        return BadFile(content=content, code="dataset:encoding", line=0)
    return BadFile(content=content, code="data_type", line=1)


def misfit(rng: Random, variant: int) -> BadFile:
    lines, columns = good(rng, 1), good(rng, 4)
    by_variant = (
        (lines, {"file_format": "parquet"}, "dataset:broken_file", 0),
        (columns, {"file_format": "parquet"}, "dataset:broken_file", 0),
        (columns, {"file_format": "jsonl"}, "dataset:broken_line", 1),
        (columns, {"file_format": "csv", "delimiter": ";"}, "dataset:missing_field", 1),
        (columns, {"file_format": "tsv"}, "dataset:missing_field", 1),
        (columns, {"file_format": "csv", "delimiter": "\n"}, "dataset:missing_field", 1),
        (lines, {"layout": "chat"}, "missing_messages_list", 1),
        (lines, {"columns": {"prompt": "Question"}}, "dataset:missing_field", 0),
        (columns, {"columns": {"completion": "no such column"}}, "dataset:missing_field", 1),
        (columns, {"layout": "classification"}, "dataset:missing_field", 2),
    )
    content, options, code, line = by_variant[variant]
    return BadFile(content=content, code=code, line=line, options=dict(options))


CLASSES: dict[str, Make] = {
    "a gzip bomb": bomb,
    "a damaged gzip file": damaged_gzip,
    "another kind of file": other_file,
    "UTF-16": utf16,
    "a file cut short": cut_short,
    "an empty file": empty,
    "one row": one_row,
    "no lines of rows": no_lines,
    "a broken table": broken_table,
    "wrong columns": wrong_columns,
    "wrong splits, slices or labels": wrong_whole,
    "a damaged Parquet file": damaged_parquet,
    "a Parquet file of other types": odd_parquet,
    "options that do not fit": misfit,
}
