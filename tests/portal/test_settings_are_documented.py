"""Whoever adds a setting documents it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read_variables() -> set[str]:
    source = (ROOT / "portal" / "settings.py").read_text(encoding="utf-8")
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))


def documented_variables() -> set[str]:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    # Read by the supervisor and the scripts, or no environment variables at all.
    others = {"DATABASE_OWNER_URL", "PYTHON", "TORCH_INDEX_URL", "CHROMIUM_PATH"}
    others |= {
        "COMPUTE",
        "ENCODERS",
        "ENDPOINTS",
        "JUDGES",
        "METRICS",
        "PRICE_LISTS",
        "ROUTE_CLASSIFIERS",
        "USAGE_SOURCES",
    }
    assert documented_variables() - others == read_variables()
