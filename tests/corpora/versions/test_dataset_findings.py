"""Titles of the check's finding codes."""

import re
from pathlib import Path

from corpora import ingest
from corpora.ingest.texts.personal import KINDS
from corpora.versions.findings import TITLES, title_of


def test_every_code_of_the_check_has_a_title() -> None:
    folder = Path(next(iter(ingest.__path__)))
    written = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    codes = {code for code in re.findall(r'"(dataset:[a-z_]+)"', written) if not code.endswith("_")}
    codes |= {f"dataset:personal_{kind}" for kind in KINDS}
    assert len(codes) > 20
    assert codes - TITLES.keys() == set()


def test_a_code_without_a_title_is_still_readable() -> None:
    assert title_of("dataset:odd_thing") == "Odd thing"
