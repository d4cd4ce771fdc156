"""Customers' pages and jobs name no setting: what the operator sets means nothing to them."""

import ast
import re
from pathlib import Path

import pytest

from portal import settings

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
FLOORS = ("tenants", "storage", "jobs", "corpora", "adapters", "evaluations", "serving", "metering", "lorakit")
# What checks of the settings raise, and what goes to the log.
FOR_THE_OPERATOR = {"ValueError", "ImproperlyConfigured", "Error", "not_set_up", "error", "warning", "info"}
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


@pytest.mark.parametrize("floor", FLOORS)
def test_no_error_of_a_job_names_one(floor: str) -> None:
    found: dict[str, Path] = {}
    for path in (ROOT / floor).rglob("*.py"):
        if {"migrations", "management", "tiny"}.isdisjoint(path.parts):
            texts = Texts()
            texts.visit(ast.parse(path.read_text(encoding="utf-8")))
            found |= {text: path for text in texts.found if SETTING.search(text)}
    assert found == {}


class Texts(ast.NodeVisitor):
    """Strings of several words, but no docstrings and nothing that only the operator reads."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and " " in node.value:
            self.found.append(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if name_of(node.func) not in FOR_THE_OPERATOR:
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if name_of(node.targets[0]) not in {"detail", "advice"}:
            self.generic_visit(node)


def name_of(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
