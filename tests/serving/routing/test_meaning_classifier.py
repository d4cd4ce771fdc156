"""A router's classifier that learns with the site's encoder, and what happens where that is away."""

import re
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings as site

from evaluations.metrics.encoders import Encoder, EncoderError, Vectors, encoders
from portal.configured.routing import route_classifiers
from serving.models import Router, RouterLearning
from serving.routing.checking import WrongRouter
from serving.routing.classifiers import classifiers
from serving.routing.classifiers.meaning import FAILURES, MeaningClassifier
from serving.routing.document import RouterDocument, Target
from serving.routing.learning import learn
from serving.routing.live import live_routers
from serving.routing.publishing import _stored
from serving.routing.services import create_router, replace_router
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.lorakit.route.test_examples import TOPICS
from tests.serving.routing.test_learning import train_on

pytestmark = pytest.mark.django_db
DOCUMENT = RouterDocument(
    default="tiny-llama",
    classifier="meaning",
    floor=0.6,
    targets=(Target(name="billing"), Target(name="legal")),
)
SMALL_TALK = Target(name="tiny-llama", examples=("Where is the parcel?",))
SYNONYMS = {"bill": 0, "reimbursement": 0, "agreement": 2, "lawsuit": 2}
"""Words that no training prompt has, and the topic that they mean."""


class Topics(Encoder):
    """Knows what words mean. `name` is that of the model; `fault` is raised while it is set."""

    model = "topics"
    fault: ClassVar[str] = ""
    calls: ClassVar[list[int]] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        type(self).calls.append(len(texts))
        if self.fault:
            raise EncoderError(self.fault)
        means = {word: axis for axis, words in enumerate(TOPICS.values()) for word in words} | SYNONYMS
        return np.array(
            [
                np.sum(
                    [np.zeros(3), *(np.eye(3)[means[word]] for word in re.findall(r"\w+", text) if word in means)], 0
                )
                for text in texts
            ]
        )


@pytest.fixture(autouse=True)
def encoder(desk: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Topics]]:
    monkeypatch.setattr(encoders, "built", {})
    monkeypatch.setattr(classifiers, "built", {})
    settings.ENCODERS = {"default": {"BACKEND": f"{__name__}.Topics", "OPTIONS": {}}}
    settings.ROUTE_CLASSIFIERS = route_classifiers(has_encoder=True)
    monkeypatch.setattr(Topics, "fault", "")
    monkeypatch.setattr(Topics, "calls", [])
    with tenant_scope(desk.id):
        yield Topics


@pytest.fixture
def router(desk: Tenant) -> Router:
    train_on("billing", "billing")
    train_on("legal", "legal")
    return create_router(tenant=desk, name="desk", document=DOCUMENT, created_by=None)


def decided(text: str) -> tuple[str | None, str]:
    [live] = live_routers()
    decision = live.decide([text])
    return decision.target, decision.by


def test_it_knows_words_that_no_training_prompt_has(router: Router) -> None:
    assert decided("My bill is wrong") == ("tiny-llama", "default")
    learn(router.id)
    assert decided("My bill is wrong, I want a reimbursement") == ("billing", "classifier")
    assert decided("There will be a lawsuit") == ("legal", "classifier")
    assert decided("Good morning") == ("tiny-llama", "default")


def test_its_report_counts_what_it_learnt_and_guessed(router: Router) -> None:
    learn(router.id)
    report = RouterLearning.objects.get(router=router).report
    assert report["learnt"] == {"billing": 60, "legal": 60}
    assert (report["held_out"], report["right"]) == (40, 40)
    assert report["table"] == {"billing": {"billing": 20}, "legal": {"legal": 20}}


def test_it_learns_from_a_part_of_many_prompts(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MeaningClassifier, "most_learnt", 7)
    learn(router.id)
    assert RouterLearning.objects.get(router=router).report["learnt"] == {"billing": 7, "legal": 7}


def test_each_prompt_is_read_once(router: Router, encoder: type[Topics]) -> None:
    learn(router.id)
    assert sum(encoder.calls) == 60 + 60 + 20 + 20
    assert len(encoder.calls) == 2


def test_learning_that_takes_too_long_says_so_and_is_tried_again(
    router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(_self: MeaningClassifier, *_: object) -> None:
        raise SoftTimeLimitExceeded

    with monkeypatch.context() as patched:
        patched.setattr(MeaningClassifier, "learn", endless)
        learn(router.id)
    assert "Learning took too long." in RouterLearning.objects.get(router=router).report["error"]
    learn(router.id)
    assert decided("My bill is wrong") == ("billing", "classifier")


def test_what_was_learnt_of_an_earlier_revision_is_not_kept(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    learns = MeaningClassifier.learn

    def saved_meanwhile(self: MeaningClassifier, *prompts: Any) -> Any:
        monkeypatch.setattr(MeaningClassifier, "learn", learns)
        replace_router(router=router, document=replace(DOCUMENT, targets=(*DOCUMENT.targets, SMALL_TALK)))
        learn(router.id)
        return learns(self, *prompts)

    monkeypatch.setattr(MeaningClassifier, "learn", saved_meanwhile)
    learn(router.id)
    assert set(RouterLearning.objects.get(router=router).report["learnt"]) == {"billing", "legal", "tiny-llama"}


def test_an_encoder_that_is_away_keeps_what_was_learnt_and_is_asked_again(
    router: Router, encoder: type[Topics], monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(router.id)
    replace_router(router=router, document=replace(DOCUMENT, floor=0.5))
    monkeypatch.setattr(encoder, "fault", "The encoder cannot be reached.")
    learn(router.id)
    learning = RouterLearning.objects.get(router=router)
    assert learning.report["error"] == "The encoder cannot be reached. It is tried again within the hour."
    assert bytes(learning.data)
    assert decided("My bill is wrong") == ("tiny-llama", "default")
    monkeypatch.setattr(encoder, "fault", "")
    learn(router.id)
    assert "error" not in RouterLearning.objects.get(router=router).report
    assert decided("My bill is wrong") == ("billing", "classifier")


def test_an_encoder_that_is_away_is_left_alone_for_a_while(
    router: Router, encoder: type[Topics], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    learn(router.id)
    monkeypatch.setattr(encoder, "fault", "The encoder cannot be reached.")
    encoder.calls.clear()
    for _ in range(FAILURES + 5):
        assert decided("Zebra 4711, my bill is wrong") == ("tiny-llama", "default")
    assert len(encoder.calls) == FAILURES
    assert "4711" not in caplog.text


def test_with_another_encoder_everything_is_learnt_again(
    router: Router, encoder: type[Topics], monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(router.id)
    monkeypatch.setattr(encoder, "model", "others")
    assert decided("My bill is wrong") == ("tiny-llama", "default")
    learn(router.id)
    assert decided("My bill is wrong") == ("billing", "classifier")


@pytest.mark.parametrize(("before", "after"), [("examples", "meaning"), ("meaning", "examples")])
def test_what_another_classifier_learnt_is_not_asked(router: Router, before: str, after: str) -> None:
    replace_router(router=router, document=replace(DOCUMENT, classifier=before))
    learn(router.id)
    assert decided("Please tell me what happened to my payment.") == ("billing", "classifier")
    replace_router(router=router, document=replace(DOCUMENT, classifier=after))
    assert decided("Please tell me what happened to my payment.") == ("tiny-llama", "default")
    learn(router.id)
    assert decided("Please tell me what happened to my payment.") == ("billing", "classifier")


def test_a_site_without_an_encoder_does_not_offer_it_and_a_router_that_has_it_still_answers(
    router: Router, desk: Tenant, settings: Any
) -> None:
    learn(router.id)
    settings.ENCODERS = {}
    encoders.built.clear()
    assert decided("My bill is wrong") == ("tiny-llama", "default")
    with pytest.raises(WrongRouter, match="This site has no encoder"):
        create_router(tenant=desk, name="other", document=DOCUMENT, created_by=None)
    assert set(site.ROUTE_CLASSIFIERS) - set(route_classifiers(has_encoder=False)) == {"meaning"}


def test_a_request_waits_for_a_silent_encoder_no_longer_than_it_may(router: Router, settings: Any) -> None:
    learn(router.id)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options = {"URL": url, "MODEL": Topics.model}
        settings.ENCODERS = {
            "default": {"BACKEND": "evaluations.metrics.openai_encoder.OpenAIEncoder", "OPTIONS": options}
        }
        settings.ROUTE_CLASSIFIERS["meaning"]["OPTIONS"] = {"TIMEOUT_SECONDS": 0.2}
        encoders.built.clear()
        classifiers.built.clear()
        live_routers.__globals__["_kept"].cache_clear()
        started = time.monotonic()
        assert decided("My bill is wrong") == ("tiny-llama", "default")
        # Its own limit is two minutes.
        assert time.monotonic() - started < 30


def test_prompts_in_which_the_encoder_sees_nothing_are_told(router: Router) -> None:
    targets = (*DOCUMENT.targets, Target(name="tiny-llama", examples=("Good morning", "Good evening")))
    replace_router(router=router, document=replace(DOCUMENT, targets=targets))
    learn(router.id)
    assert "The encoder sees no prompts for tiny-llama." in RouterLearning.objects.get(router=router).report["error"]


def test_the_front_in_aws_is_told_nothing_of_it(router: Router) -> None:
    learn(router.id)
    assert _stored(router).learnt == b""
    changed = replace_router(router=router, document=replace(DOCUMENT, classifier="examples"))
    assert _stored(changed).learnt == b"", "this is what the encoder's vectors were"
    learn(router.id)
    assert _stored(changed).learnt
