"""Customers' pages name no setting: what the operator sets means nothing to them."""

import re
from pathlib import Path

from portal import settings

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
SETTING = re.compile(r"\b[A-Z]{2,}(_[A-Z]+)+\b")
TAGS = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)


def test_no_template_names_one() -> None:
    texts = {path: TAGS.sub("", path.read_text(encoding="utf-8")) for path in TEMPLATES.rglob("*.html")}
    assert texts
    assert {path: found[0] for path, text in texts.items() if (found := SETTING.search(text))} == {}


def test_no_source_of_a_price_names_one() -> None:
    """They stand in tables of costs, also while no price is set."""
    computes = (settings._local_compute, settings._sagemaker_compute, *settings.COMPUTE.values())
    sources = [options["OPTIONS"]["PRICE_SOURCE"] for options in (*computes, *settings.ENDPOINTS.values())]
    assert [source for source in sources if SETTING.search(source)] == []
