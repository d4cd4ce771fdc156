"""A code that a customer may meet is in the guide, and has a title on the page."""

import re
from pathlib import Path

from corpora.versions.findings import TITLES

ROOT = Path(__file__).parents[3]
CODE = re.compile(r'"(data_type|(?:dataset:|missing_|message_|example_|unrecognized_)[a-z_]+[a-z])"')


def test_every_code_of_the_check_is_explained() -> None:
    guide = (ROOT / "docs" / "datasets.md").read_text()
    sources = [path.read_text() for path in (ROOT / "corpora" / "ingest").rglob("*.py")]
    codes = {code for source in sources for code in CODE.findall(source)}
    assert len(codes) > 30
    assert sorted(code for code in codes if f"`{code}`" not in guide) == []
    assert codes == set(TITLES)
