"""Teaches a router's classifier, and measures where prompts go that no adapter has learnt."""

import hashlib
import json
from collections import Counter
from typing import Any
from uuid import UUID

import structlog
from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from corpora.models import DatasetVersion
from corpora.versions.rows import Choice, NotReady, Rows, StoredRow
from serving.models import Route, Router, RouterLearning
from serving.routing.classifiers import classifiers
from serving.routing.classifiers.base import CannotLearn, LearningClassifier, Lesson
from serving.routing.document import RouterDocument, document_of
from serving.routing.live import live_router
from storage.errors import ObjectMissing, StorageUnavailable

log = structlog.get_logger(__name__)

TASK = "serving.learn_router"
MOST_HELD_OUT = 100
"""Prompts of one adapter."""
MOST_MEASURED = 20
"""Adapters in the table of where held-out prompts go."""
LONGEST_PROMPT = 4_000

NOT_ASKED = "classifier"
"""Where the table counts prompts that would be a judge's to sort: asking it hundreds of times costs money."""
REFUSED = ""


def learn_soon(router: Router) -> None:
    """After the transaction. A message that is lost is made up for by the hourly look at all routers."""
    tenant_id, router_id = router.tenant_id, router.id

    def send() -> None:
        try:
            current_app.send_task(TASK, (str(tenant_id), str(router_id)))
        except OperationalError:
            log.warning("broker_unreachable")

    transaction.on_commit(send)


def learn(router_id: UUID) -> None:
    """Bring what a router's classifier knows up to date, and its report. In the tenant's scope."""
    router = Router.objects.filter(id=router_id).first()
    if router is None:
        return
    document = document_of(router)
    versions = _versions(document)
    source = _source(router, document, versions)
    if RouterLearning.objects.filter(router=router, source=source).exists():
        return
    held_out = {name: _prompts(version, "test", MOST_HELD_OUT) for name, version in versions.items()}
    try:
        lesson, report = _learnt(document, versions, held_out)
    except (CannotLearn, SoftTimeLimitExceeded) as error:
        why = str(error) if isinstance(error, CannotLearn) else "Learning took too long."
        # What was learnt before stays. Without its source, the next look at all routers tries again.
        _keep(router, {"source": ""}, {"error": f"{why} It is tried again within the hour."})
        return
    if _keep(router, {"source": source, "data": lesson.data if lesson else b""}, report):
        # Made of what was just learnt, and stored with it: a reader in between sees no table yet.
        table = _table(router, held_out, lesson)
        RouterLearning.objects.filter(router=router, source=source).update(report={**report, "table": table})


def _keep(router: Router, learnt: dict[str, Any], report: dict[str, Any]) -> bool:
    """False, and nothing written, where the router is gone or was saved meanwhile: whoever saved it has it learn."""
    with transaction.atomic():
        rows = Router.objects.select_for_update().filter(id=router.id, revision=router.revision)
        if not rows.exists():
            return False
        RouterLearning.objects.update_or_create(
            router=router, defaults={**learnt, "report": report, "learnt_at": timezone.now()}
        )
    return True


def _learnt(
    document: RouterDocument, versions: dict[str, DatasetVersion], held_out: dict[str, list[str]]
) -> tuple[Lesson | None, dict[str, Any]]:
    """What a classifier that learns has learnt, and the report; it asks for examples where there are none to learn."""
    classifier = classifiers.get(document.classifier)
    if not isinstance(classifier, LearningClassifier):
        return None, {}
    prompts: dict[str, list[str]] = {}
    for target in document.targets:
        version = versions.get(target.name)
        learnt = _prompts(version, "train", classifier.most_learnt) if version is not None else []
        prompts[target.name] = [*target.examples, *learnt]
    if lacking := [name for name, some in prompts.items() if not some]:
        return None, {
            "error": f"Add example prompts for {', '.join(lacking)}: there is no training data to learn from."
        }
    lesson = classifier.learn(prompts, held_out)
    # Of the classifier alone, without rules and floor.
    own = [(name, guess) for name in prompts for guess in lesson.guesses.get(name, ())]
    return lesson, {
        "learnt": {name: len(some) for name, some in prompts.items()},
        "held_out": len(own),
        "right": sum(guess is not None and guess.target == name for name, guess in own),
    }


def _table(router: Router, held_out: dict[str, list[str]], lesson: Lesson | None) -> dict[str, dict[str, int]]:
    """Where held-out prompts go: counts by the adapter whose data they are from, and by the model they are sent to."""
    live = live_router(router)
    asks_judge = live.classifier is not None and live.classifier.asks_judge
    table: dict[str, dict[str, int]] = {}
    for name, texts in held_out.items():
        guesses = lesson.guesses[name] if lesson else [None] * len(texts)
        counts: Counter[str] = Counter()
        for text, guess in zip(texts, guesses, strict=True):
            decision = live.rules.by_rule([text])
            if decision is None and asks_judge:
                counts[NOT_ASKED] += 1
                continue
            decision = decision or live.rules.by_guess(guess)
            counts[decision.target or REFUSED] += 1
        if counts:
            table[name] = dict(counts)
    return table


def _versions(document: RouterDocument) -> dict[str, DatasetVersion]:
    """What the live version of each adapter that the router may choose was trained on."""
    names = {rule.target for rule in document.rules} | {target.name for target in document.targets}
    names |= {document.default}
    routes = Route.objects.exclude(active=None).filter(alias__in=names).order_by("alias")
    found = routes.select_related("active__version__run__dataset_version")[:MOST_MEASURED]
    return {route.alias: route.active.version.run.dataset_version for route in found}


def _prompts(version: DatasetVersion, split: Choice, most: int) -> list[str]:
    """What users said last in the first rows of a split; none where the rows are gone. Splits are drawn at random."""
    try:
        some = Rows(version, split)[:most]
    except (NotReady, ObjectMissing, StorageUnavailable):
        return []
    return [text for row in some if (text := _asked(row))]


def _asked(row: StoredRow) -> str:
    said = [turn.content for turn in row.row.messages if turn.role == "user" and turn.content.strip()]
    return said[-1][:LONGEST_PROMPT] if said else ""


def _source(router: Router, document: RouterDocument, versions: dict[str, DatasetVersion]) -> str:
    """Changes with the router, with what its adapters were trained on, and with what reads that."""
    data: list[Any] = [
        str(router.id),
        router.revision,
        sorted((name, str(version.id)) for name, version in versions.items()),
    ]
    classifier = classifiers.get(document.classifier)
    if isinstance(classifier, LearningClassifier) and classifier.learns_with:
        data.append(classifier.learns_with)
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()
