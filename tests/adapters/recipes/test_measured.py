"""What was measured is said in one place, and the documentation and the benchmark agree with it."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from adapters.models import BaseModel
from adapters.recipes.catalogue import RECIPES
from adapters.recipes.measured import MEASURED, SMOLLM2, Figure, Measured, measured_on
from bench.recipes import VARIANTS

NOTES = Path(settings.BASE_DIR) / "docs" / "benchmarks.md"


def smollm2(**changes: int | str) -> BaseModel:
    facts = {"architecture": SMOLLM2.architecture, "parameters": SMOLLM2.parameters, "context_length": 8192}
    return BaseModel(name="smollm2", **(facts | changes))


def line(figure: Figure) -> str:
    """A row of the table, with the spread as soon as there are several seeds."""
    spread = "" if figure.spread is None else f" (spread {figure.spread:.3f})"
    return f"| {figure.setting} | {figure.mean:.3f}{spread} | {figure.seconds} | {figure.megabytes} |"


def test_the_notes_show_the_same_table() -> None:
    section = NOTES.read_text().split("## recipes:")[1].split("\n## ")[0]
    table = [one for one in section.splitlines() if one.startswith("| ") and "Exact match" not in one]
    assert table == [line(figure) for figure in SMOLLM2.figures.values()]
    assert f"{SMOLLM2.held_out} held-out messages" in section
    assert f"the base alone has {SMOLLM2.base_exact_match:.3f}" in section


def test_what_the_benchmark_varies_is_what_was_measured() -> None:
    assert set(SMOLLM2.figures) == set(VARIANTS)


@pytest.mark.parametrize("measured", MEASURED, ids=lambda measured: measured.title)
def test_every_figure_is_a_share_of_the_held_out_rows_for_the_same_seeds(measured: Measured) -> None:
    assert {len(figure.exact_match) for figure in measured.figures.values()} == {measured.seeds}
    for figure in measured.figures.values():
        for share in figure.exact_match:
            assert abs(share * measured.held_out - round(share * measured.held_out)) < 0.06


def test_another_seed_changes_mean_and_spread() -> None:
    one = SMOLLM2.figures["usual"]
    assert one.spread is None or len(one.exact_match) > 1
    two = replace(one, exact_match=(0.5, 0.7))
    assert (round(two.mean, 6), round(two.spread or 0, 6)) == (0.6, 0.2)
    assert "0.600 (spread 0.200)" in line(two)


def test_noise_is_that_of_the_number_of_rows() -> None:
    figures = {"usual": replace(SMOLLM2.figures["usual"], exact_match=(0.5,))}
    assert round(replace(SMOLLM2, held_out=100, figures=figures).noise, 3) == 0.098
    assert round(replace(SMOLLM2, held_out=400, figures=figures).noise, 3) == 0.049


@pytest.mark.parametrize(
    "change", [{"parameters": 0}, {"parameters": 134_515_009}, {"architecture": "Qwen3ForCausalLM"}]
)
def test_figures_are_of_a_base_of_that_shape_only(change: dict[str, int | str]) -> None:
    assert measured_on(smollm2()) is SMOLLM2
    assert measured_on(smollm2(**change)) is None


@pytest.mark.parametrize("key", RECIPES)
def test_the_advice_for_small_bases_quotes_the_figures(key: str) -> None:
    advice = RECIPES[key].for_base(smollm2())
    assert advice.measured is SMOLLM2
    for name, reason in {"rank": "rank_8", "alpha": "alpha_4r", "target_modules": "attention"}.items():
        assert SMOLLM2.said(reason) in advice.reasons[name]
    other = RECIPES[key].for_base(smollm2(parameters=500_000_000))
    assert other.measured is SMOLLM2
    assert RECIPES[key].for_base(smollm2(parameters=8_000_000_000)).measured is None
    assert RECIPES[key].for_base(BaseModel(name="tiny", is_synthetic=True, context_length=2048)).measured is None
