"""A judge that a customer configures reaches nothing that only the site can."""

import pytest

from evaluations.judges.backends.errors import Rejected
from evaluations.judges.backends.openai import OpenAIJudge
from evaluations.judges.prompts import CORRECT, prompt_for
from tenants.outbound.destinations import Reach
from tests.evaluations.judges.scripted_model import ScriptedModel, openai_server


def test_a_judge_of_a_hosted_site_does_not_reach_loopback() -> None:
    model = ScriptedModel()
    with openai_server(model) as url:
        options = {"URL": url, "MODEL": "m"}
        question = prompt_for(CORRECT, messages=[], reference="r", answer="a")
        with pytest.raises(Rejected):
            OpenAIJudge("test", {**options, "REACH": Reach.PUBLIC}).ask(question)
        assert model.calls == []
        assert OpenAIJudge("test", {**options, "REACH": Reach.LOCAL}).ask(question).score == 1
