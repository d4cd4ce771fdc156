"""The parts that every page is made of."""

import pytest
from django import forms
from django.template import Context, Template
from django.template.loader import render_to_string

from portal.templatetags.amounts import duration, percent, percent_points, usd


class EveryInput(forms.Form):
    name = forms.CharField(help_text="As people say it.")
    note = forms.CharField(required=False, widget=forms.Textarea)
    recipe = forms.ChoiceField(choices=[("style", "Style"), ("facts", "Facts")], widget=forms.RadioSelect)
    size = forms.ChoiceField(choices=[("s", "Small")])
    agree = forms.BooleanField()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.4, "0 s"), (59.6, "1 min"), (95, "1 min 35 s"), (7500, "2 h 5 min"), (90_000, "1 d 1 h")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"), [(None, "–"), (0, "$0.00"), (1234.5, "$1,234.50"), (0.00183, "$0.0018"), (1e-6, "<$0.0001")]
)
def test_sums_of_money(amount: float | None, text: str) -> None:
    assert usd(amount) == text


def test_shares() -> None:
    assert (percent(0.8203), percent(None)) == ("82.0%", "–")
    assert (percent_points(0.05), percent_points(-0.004), percent_points("")) == ("+5.0", "-0.4", "–")


def test_a_form_shows_every_kind_of_input_with_its_label_and_error() -> None:
    page = render_to_string("components/form.html", {"form": EveryInput({"name": ""}), "submit": "Go"})
    assert '<label class="form-label" for="id_name">' in page
    assert 'aria-describedby="id_name_helptext id_name_error"' in page
    assert 'id="id_name_error"' in page
    assert 'id="id_name_helptext"' in page
    assert page.count('class="form-check-input') == 3
    assert "<legend" in page
    assert 'class="form-select is-invalid"' in page
    assert page.count("optional") == 2


def test_a_field_that_a_choice_makes_necessary_is_not_called_optional() -> None:
    page = render_to_string("components/field.html", {"field": EveryInput()["note"], "needed_for": "a new dataset"})
    assert "required for a new dataset" in page
    assert "optional</span>" not in page


def test_the_heading_is_the_title_unless_a_page_says_otherwise() -> None:
    page = Template('{% extends "base.html" %}{% block title %}Jobs{% endblock %}').render(Context())
    assert "<h1>Jobs</h1>" in page
    assert "<title>Jobs · Adapter Portal</title>" in page
    other = Template('{% extends "base.html" %}{% block title %}a{% endblock %}{% block heading %}b{% endblock %}')
    assert "<h1>b</h1>" in other.render(Context())


def test_the_page_of_a_broken_site_needs_nothing_of_the_request() -> None:
    assert "Something went wrong on our side" in render_to_string("500.html")


def test_progress_is_told_to_screen_readers() -> None:
    page = render_to_string("components/progress.html", {"fraction": 0.372, "label": "Training", "eta_seconds": 95})
    assert 'aria-label="Training" value="37" max="100"' in page
    assert "about 1 min 35 s left" in page


def test_a_figure_reaches_the_page_as_data_not_as_markup() -> None:
    figure = {"data": [{"name": "</script><b>"}], "layout": {}}
    page = render_to_string("components/chart.html", {"id": "loss", "figure": figure, "label": "Loss"})
    assert 'data-chart="chart-loss-figure"' in page
    assert 'id="chart-loss-figure" type="application/json"' in page
    assert "<b>" not in page
