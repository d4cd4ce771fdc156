"""What an answer is held to, it keeps, whatever the model would rather say; what can't be kept is refused by name."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from jsonschema import Draft202012Validator
from transformers import PreTrainedTokenizerFast

from lorakit.base import load_tokenizer
from lorakit.serve.requests.errors import ApiError
from lorakit.serve.requests.guides import Form, Guides, schema_form
from tests.lorakit.serve.schemas import SCHEMAS

VOCABULARY = 1024
END = re.compile(r"(<\|end\|>)+$")
LIMIT = 1000


@pytest.fixture(scope="module")
def tokenizer(base: Path) -> PreTrainedTokenizerFast:
    return load_tokenizer(base)


@pytest.fixture(scope="module")
def guides(tokenizer: PreTrainedTokenizerFast) -> Guides:
    return Guides(tokenizer, VOCABULARY, frozenset({int(tokenizer.eos_token_id)}))


def babble(guides: Guides, tokenizer: PreTrainedTokenizerFast, form: Form, seed: int) -> str | None:
    """An answer of a model that says anything, held to a form; None if it did not come to an end."""
    guide, generator = guides.guide(form), torch.Generator().manual_seed(seed)
    tokens: list[int] = []
    while len(tokens) < LIMIT:
        token = int(guide.mask(3 * torch.randn(VOCABULARY, generator=generator)).argmax())
        tokens.append(token)
        if guide.take(token):
            return END.sub("", str(tokenizer.decode(tokens)))
    return None


@pytest.mark.parametrize("number", range(len(SCHEMAS)))
def test_random_answers_are_valid(guides: Guides, tokenizer: PreTrainedTokenizerFast, number: int) -> None:
    schema = SCHEMAS[number]
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    answers = [babble(guides, tokenizer, schema_form(schema, "response_format"), seed) for seed in range(4)]
    complete = [answer for answer in answers if answer is not None]
    assert complete, "no answer came to an end"
    for answer in complete:
        # A grammar knows days of the month, but not leap years.
        answer = answer.replace("-02-29", "-02-28")
        validator.validate(json.loads(answer))
        assert "\n" not in answer


def test_there_are_fifty() -> None:
    assert len(SCHEMAS) == 50


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ({"type": "array", "uniqueItems": True}, "uniqueItems"),
        ({"not": {"type": "string"}}, "not"),
        ({"if": {"const": 1}, "then": {"const": 2}}, "if"),
        ({"type": "object", "dependentRequired": {"a": ["b"]}}, "dependentRequired"),
        ({"type": "array", "contains": {"const": 1}}, "contains"),
        ({"type": "object", "propertyNames": {"maxLength": 3}}, "propertyNames"),
        ({"type": "string", "pattern": "(?=a)b"}, "look-ahead"),
        ({"type": "string", "format": "colour"}, "colour"),
        ({"type": "objekt"}, "objekt"),
        ({"$ref": "#/nowhere"}, "nowhere"),
        ({"type": "string", "minLength": 5, "maxLength": 2}, "maxLength"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(guides: Guides, schema: dict[str, Any], name: str) -> None:
    with pytest.raises(ApiError) as refused:
        guides.guide(schema_form(schema, "response_format"))
    assert (refused.value.status, refused.value.param) == (400, "response_format")
    assert name in refused.value.text


def test_a_regular_expression_is_kept(guides: Guides, tokenizer: PreTrainedTokenizerFast) -> None:
    form = Form("regex", r"[A-Z]{3}-[0-9]{4}(-(a|b))?", "structured_outputs")
    for seed in range(5):
        answer = babble(guides, tokenizer, form, seed)
        assert answer is not None
        assert re.fullmatch(form.text, answer)


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?<=x)y", "x" * 70_000])
def test_a_pattern_that_cannot_be_kept_is_refused(guides: Guides, pattern: str) -> None:
    with pytest.raises(ApiError) as refused:
        guides.guide(Form("regex", pattern, "structured_outputs"))
    assert refused.value.param == "structured_outputs"


def test_a_copy_goes_its_own_way(guides: Guides) -> None:
    guide = guides.guide(schema_form({"enum": [1, 2]}, "response_format"))
    other = guide.copy()
    token = int(guide.mask(torch.zeros(VOCABULARY)).argmax())
    guide.take(token)
    assert int(other.mask(torch.zeros(VOCABULARY)).argmax()) == token
