"""What checks of datasets learn about base models."""

from pathlib import Path

import pytest

from adapters.models import BaseModel
from corpora.contexts import context_named, contexts

pytestmark = pytest.mark.django_db


def test_each_base_model_is_a_context_with_its_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    BaseModel.objects.create(name="here", title="Z", location=str(tmp_path), context_length=512)
    BaseModel.objects.create(name="far", title="A", location="s3://models/far", context_length=8192)
    found = {context.name: (context.tokens, context.tokenizer) for context in contexts()}
    assert found == {"here": (512, str(tmp_path / "tokenizer.json")), "far": (8192, "")}
    chosen, named = context_named(""), context_named("far")
    assert chosen is not None
    assert named is not None
    assert (chosen.name, named.tokens) == ("here", 8192)
    assert context_named("other") is None


def test_rows_are_counted_for_the_base_that_new_adapters_get() -> None:
    BaseModel.objects.create(name="tiny", title="A", location="/tiny", context_length=512, is_synthetic=True)
    BaseModel.objects.create(name="real", title="B", location="/real", context_length=8192)
    assert [context.name for context in contexts()] == ["real", "tiny"]
    chosen = context_named("")
    assert chosen is not None
    assert chosen.name == "real"
