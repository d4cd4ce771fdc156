"""Built-in rubrics to start from."""

from functools import cache
from pathlib import Path

from evaluations.rubrics.document import RubricDocument, from_yaml

FOLDER = Path(__file__).parent / "starters"


@cache
def starters() -> dict[str, RubricDocument]:
    """By name of their file: summarisation, extraction, classification, dialogue, legal-clause."""
    return {path.stem: from_yaml(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))}
