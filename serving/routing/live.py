"""Routers ready to be asked, kept in memory by what they were saved as."""

import contextlib
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import structlog

from lorakit.route.router import Decision, Guess
from lorakit.route.router import Router as RulesFirst
from lorakit.route.table import Table, Unreadable
from serving.models import Router, RouterLearning
from serving.routing.classifiers import classifiers
from serving.routing.classifiers.base import LearningClassifier, RouteClassifier, Situation
from serving.routing.document import RouterDocument, document_of
from tenants.scope import active_tenant_id

log = structlog.get_logger(__name__)

KEPT = 256


@dataclass(frozen=True, kw_only=True)
class LiveRouter:
    """A router that can be asked by any thread. `rule_ids` are in the order of its rules."""

    name: str
    revision: int
    since: int
    rules: RulesFirst
    rule_ids: tuple[str, ...]
    classifier: RouteClassifier | None
    situation: Situation

    def decide(self, texts: Sequence[str]) -> Decision:
        """Rules, then the classifier, then the default. In the tenant's scope; a judge takes seconds."""
        return self.rules.by_rule(texts) or self.rules.by_guess(self.guess(texts))

    def guess(self, texts: Sequence[str]) -> Guess | None:
        """The classifier's, by the newest text."""
        if self.classifier is None or not texts:
            return None
        guess = self.classifier.guess(texts[0], self.situation)
        known = {target.name for target in self.situation.targets}
        # What was learnt before the last change may know a model that is no longer to be chosen.
        return guess if guess is not None and guess.target in known else None

    def rule_id(self, decision: Decision) -> str:
        """Of the rule that decided, empty where none did."""
        return "" if decision.rule is None else self.rule_ids[decision.rule]


def live_routers() -> list[LiveRouter]:
    """Those of the active tenant. One query where nothing has changed."""
    tenant_id = active_tenant_id()
    found = []
    for row in Router.objects.values_list("id", "revision", "learning__learnt_at"):
        # It may be deleted in between.
        with contextlib.suppress(Router.DoesNotExist):
            found.append(_kept(tenant_id, *row))
    return found


def live_router(router: Router, *, document: RouterDocument | None = None, table: bytes | None = None) -> LiveRouter:
    """A router's row as it can be asked; or, with the same learning, as a document not saved yet with its `table`."""
    document = document or document_of(router)
    rules = [draft.rule() for draft in document.rules]
    classifier = classifiers.get(document.classifier)
    situation = Situation(
        tenant_id=router.tenant_id,
        router_id=router.id,
        revision=router.revision,
        targets=document.targets,
        judge=document.judge,
        learnt=_learnt(router, classifier),
    )
    compiled = _table(router, rules_table=table, document=document)
    return LiveRouter(
        name=router.name,
        revision=router.revision,
        since=int(router.changed_at.timestamp()),
        rules=RulesFirst(rules=rules, table=compiled, default=document.default or None, floor=document.floor),
        rule_ids=tuple(draft.id for draft in document.rules),
        classifier=classifier,
        situation=situation,
    )


@lru_cache(KEPT)
def _kept(tenant_id: UUID, router_id: UUID, revision: int, learnt_at: dt.datetime | None) -> LiveRouter:
    """All but the id is part of the key only: what is read is never older."""
    return live_router(Router.objects.get(id=router_id))


def _table(router: Router, *, rules_table: bytes | None, document: RouterDocument) -> Table:
    try:
        return Table.load(bytes(router.compiled) if rules_table is None else rules_table)
    except Unreadable:
        # Compiled on another kind of processor, within the same bounds.
        log.info("router_compiled_again", router=str(router.id), revision=router.revision)
        return Table.compile([draft.rule() for draft in document.rules])


def _learnt(router: Router, classifier: RouteClassifier | None) -> object:
    if not isinstance(classifier, LearningClassifier):
        return None
    data = RouterLearning.objects.filter(router=router).values_list("data", flat=True).first()
    # Until a changed router has learnt anew, this is what another classifier made of the prompts.
    with contextlib.suppress(ValueError):
        return classifier.read(bytes(data)) if data else None
    return None
