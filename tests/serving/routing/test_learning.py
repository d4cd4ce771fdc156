"""A router's classifier learns from its adapters' training data, and is measured on what they held out."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from corpora.models import Dataset, DatasetVersion
from serving.models import Route, Router, RouterLearning
from serving.routing import learning
from serving.routing.document import RouterDocument, RuleDraft, Target
from serving.routing.learning import learn
from serving.routing.live import live_router, live_routers
from serving.routing.services import create_router, replace_router
from serving.routing.tasks import learn_router, learn_routers
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.corpora.stored import chat, stored_version
from tests.lorakit.route.test_examples import prompts

pytestmark = pytest.mark.django_db
TARGETS = (Target(name="billing"), Target(name="legal"))
DOCUMENT = RouterDocument(
    rules=(RuleDraft(kind="keyword", texts=("lease",), target="legal"),),
    default="tiny-llama",
    classifier="examples",
    floor=0.6,
    targets=TARGETS,
)


@pytest.fixture(autouse=True)
def in_scope(desk: Tenant) -> Iterator[None]:
    with tenant_scope(desk.id):
        yield


def train_on(alias: str, topic: str, *, count: int = 60) -> DatasetVersion:
    """Let the live version of an alias have been trained on prompts about a topic."""
    dataset, _ = Dataset.objects.get_or_create(name=f"data of {alias}")
    rows = [[chat(text) for text in prompts(seed, count)[topic]] for seed in (1, 2)]
    version = stored_version(dataset, rows[0], rows[1][:20])
    run = Route.objects.get(alias=alias).active.version.run
    run.dataset_version = version
    run.save(update_fields=["dataset_version"])
    return version


@pytest.fixture
def router(desk: Tenant) -> Router:
    train_on("billing", "billing")
    train_on("legal", "legal")
    return create_router(tenant=desk, name="desk", document=DOCUMENT, created_by=None)


def report_of(router: Router) -> dict[str, Any]:
    return dict(RouterLearning.objects.get(router=router).report)


def test_it_learns_and_routes_what_no_rule_fits(router: Router) -> None:
    assert live_routers()[0].decide(["Why was my payment refused?"]).by == "default"
    learn(router.id)
    [live] = live_routers()
    decision = live.decide(["Please tell me what happened to my payment."])
    assert (decision.target, decision.by) == ("billing", "classifier")
    assert (decision.confidence or 0) >= 0.6
    nothing = live.decide(["Ωμέγα"])
    assert (nothing.target, nothing.by, nothing.confidence) == ("tiny-llama", "default", None)
    assert live.decide(["my lease and my payment"]).by == "rule"


def test_its_report_says_how_well_it_does(router: Router) -> None:
    learn(router.id)
    report = report_of(router)
    assert report["learnt"] == {"billing": 60, "legal": 60}
    assert report["held_out"] == 40
    assert report["right"] > 36
    assert set(report["table"]) == {"billing", "legal"}
    assert sum(report["table"]["billing"].values()) == 20
    assert report["table"]["legal"].get("legal", 0) > 14


def test_it_learns_again_only_when_something_changed(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    learn(router.id)
    first = RouterLearning.objects.get(router=router)
    learn(router.id)
    assert RouterLearning.objects.get(router=router).learnt_at == first.learnt_at
    train_on("billing", "delivery")
    learn(router.id)
    assert live_routers()[0].decide(["Where is the parcel with the tracking?"]).target == "billing"
    second = RouterLearning.objects.get(router=router)
    assert second.source != first.source
    replace_router(router=router, document=replace(DOCUMENT, floor=1.0))
    learn(router.id)
    assert RouterLearning.objects.get(router=router).source != second.source
    assert live_routers()[0].decide(["Where is the parcel with the tracking?"]).by == "default"


def test_a_model_without_data_needs_examples(router: Router) -> None:
    targets = (*TARGETS, Target(name="tiny-llama"))
    replace_router(router=router, document=replace(DOCUMENT, targets=targets))
    learn(router.id)
    assert "Add example prompts for tiny-llama" in report_of(router)["error"]
    assert live_routers()[0].decide(["my payment"]).by == "default"
    small_talk = Target(name="tiny-llama", examples=("Good morning", "How are you?"))
    replace_router(router=router, document=replace(DOCUMENT, targets=(*TARGETS, small_talk)))
    learn(router.id)
    assert live_routers()[0].decide(["How are you this morning?"]).target == "tiny-llama"


def test_a_model_that_is_no_longer_to_be_chosen_is_not(router: Router) -> None:
    learn(router.id)
    replace_router(router=router, document=replace(DOCUMENT, targets=(TARGETS[1], Target(name="tiny-llama"))))
    assert live_routers()[0].decide(["Please tell me what happened to my payment."]).by == "default"


def test_data_that_is_gone_costs_the_learning_only(router: Router) -> None:
    DatasetVersion.objects.filter(dataset__name="data of billing").update(train_key="gone", index_key="gone")
    learn(router.id)
    assert "Add example prompts for billing" in report_of(router)["error"]


def test_a_judge_is_not_asked_hundreds_of_times_for_the_table(router: Router) -> None:
    Router.objects.update(classifier="judge", judge="shared:nobody", revision=2)
    learn(router.id)
    table = report_of(router)["table"]
    assert table["billing"] == {learning.NOT_ASKED: 20}
    assert table["legal"].get("legal", 0) > 0


@pytest.mark.django_db(transaction=True)
def test_tasks_teach_every_router(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(learn_router, "delay", lambda *ids: asked.append(ids))
    learn_routers()
    assert asked == [(str(router.tenant_id), str(router.id))]
    learn_router(*asked[0])
    assert report_of(router)["held_out"] == 40
    router.delete()
    learn_router(*asked[0])


def test_what_is_tried_is_what_callers_get(router: Router) -> None:
    learn(router.id)
    text = "Please tell me what happened to my payment."
    assert live_router(Router.objects.get()).decide([text]) == live_routers()[0].decide([text])
