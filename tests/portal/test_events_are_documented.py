"""docs/webhooks.md has every kind of event with the fields of its data."""

from pathlib import Path

import pytest

from tenants.webhooks.kinds import TEST, EventKind, event_kinds

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/webhooks.md"
KINDS = [*event_kinds(), TEST]


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_it_is_in_the_table(kind: EventKind) -> None:
    table = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    [line] = [line for line in table if f"`{kind.name}`" in line]
    assert [name for name in kind.example if f"`{name}`" not in line] == []
