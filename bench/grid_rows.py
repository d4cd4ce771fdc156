"""The two evaluations that bench/grid.py measures: texts of mixed lengths, and labels; each of four models.

The same for each run: values come from one seed. Rows are written in bulk, past the services; scores, figures and the
summary are really computed.
"""

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from adapters.models import Adapter, AdapterVersion, BaseModel, TrainingRun
from corpora.models import Dataset, DatasetVersion, VersionState
from evaluations.models import (
    Answer,
    EvaluatedModel,
    EvaluationItem,
    EvaluationRun,
    EvaluationState,
    Grade,
    Judging,
    JudgingState,
    Review,
    ReviewRound,
    Turn,
    TurnState,
)
from evaluations.reviews.rounds.draw import Shares
from evaluations.reviews.rounds.services import Design, start_round
from evaluations.runs.contenders import contenders
from jobs.models import Job
from jobs.states import State
from tenants.models import Tenant, User

SEED = 7
BATCH = 2_000
SHARES = (0.05, 0.55, 0.7, 0.8)
"""How often each model is right: the base, then the versions."""

RARE = "indemnity"
"""A word of one row in fifty, to search for."""

TOPICS = ("contracts", "leases", "letters", "minutes", "policies")
LABELS = ("billing", "complaint", "contract", "delivery", "fault", "praise", "return", "technical question")
SYLLABLES = ("al", "ber", "con", "dis", "er", "for", "gal", "in", "la", "men", "no", "per", "re", "sta", "ti", "ver")

ITEMS = f"""
    INSERT INTO {EvaluationItem._meta.db_table} (
        id, created_at, tenant_id, run_id, position, slice, messages, tools, reference, prompt_sha256, prompt_length,
        uncertainty
    )
    SELECT gen_random_uuid(), now(), %(tenant)s, %(run)s, position, slice, messages::jsonb, '[]', reference, sha256,
        length(messages), random()
    FROM unnest(%(position)s::int[], %(slice)s::text[], %(messages)s::text[], %(reference)s::text[], %(sha256)s::text[])
        AS given (position, slice, messages, reference, sha256)
"""
ANSWERS = f"""
    INSERT INTO {Answer._meta.db_table} (
        id, created_at, tenant_id, item_id, model_id, key, text, log_probability, completion_tokens, seconds, scores
    )
    SELECT gen_random_uuid(), now(), %(tenant)s, i.id, %(model)s, '', given.text, -2 * random() ^ 2,
        length(given.text) / 4, 0.2 + random(), '{{}}'
    FROM unnest(%(position)s::int[], %(text)s::text[]) AS given (position, text)
    JOIN {EvaluationItem._meta.db_table} i ON i.run_id = %(run)s AND i.position = given.position
"""
GRADES = f"""
    INSERT INTO {Grade._meta.db_table} (id, created_at, tenant_id, judging_id, answer_id, score, reason, detail, spread)
    SELECT gen_random_uuid(), now(), a.tenant_id, %(judging)s, a.id,
        CASE WHEN a.is_right THEN 5 ELSE 1 + floor(random() * 4) END, 'Names the wrong party.',
        '{{"Correctness": {{"Strict": {{"score": 3, "reason": "Names the wrong party."}}}}}}', 0
    FROM {Answer._meta.db_table} a JOIN {EvaluatedModel._meta.db_table} m ON m.id = a.model_id
    WHERE m.run_id = %(run)s
"""


@dataclass(frozen=True, kw_only=True)
class Texts:
    """How rows of one kind of evaluation are made: its expected answers, and a wrong one beside one of them."""

    expected: Callable[[], str]
    wrong: Callable[[str], str]


class Writer:
    """Makes texts of words that occur as often as words do: few often, many rarely."""

    def __init__(self) -> None:
        self.rng = random.Random(SEED)
        self.words = ["".join(self.rng.choices(SYLLABLES, k=self.rng.randint(1, 4))) for _ in range(3_000)]
        self.weights = [1 / (rank + 3) for rank in range(len(self.words))]

    def text(self, words: int) -> str:
        """Sentences of so many words altogether."""
        chosen = self.rng.choices(self.words, self.weights, k=words)
        if self.rng.random() < 0.02:
            chosen[0] = RARE
        return " ".join(f"{word}." if place % 14 == 13 else word for place, word in enumerate(chosen))

    def length(self, usual: int) -> int:
        """Mostly about `usual`, now and then ten times that."""
        return max(1, min(10 * usual, int(self.rng.lognormvariate(0, 0.8) * usual)))

    def changed(self, text: str) -> str:
        """A text with every fifth word replaced."""
        return " ".join(self.text(1) if self.rng.random() < 0.2 else word for word in text.split(" "))

    def wrong(self, expected: str) -> str:
        """Half of the time near the expected answer, otherwise something else."""
        near = self.rng.random() < 0.5
        return self.changed(expected) if near else self.text(self.length(40))

    def label(self) -> str:
        return self.rng.choice(LABELS)

    def wrong_label(self, expected: str) -> str:
        return self.rng.choice((*LABELS, f"Probably {expected}, or a {self.label()}", "I cannot say."))


def versions_of(tenant: Tenant) -> list[AdapterVersion]:
    """Three versions of an adapter."""
    base = BaseModel.objects.first() or BaseModel.objects.create(name="tiny", title="Tiny", location="nowhere")
    dataset = Dataset.objects.create(tenant=tenant, name="Questions")
    data = DatasetVersion.objects.create(
        tenant=tenant, dataset=dataset, number=1, upload_bytes=1, state=VersionState.READY
    )
    adapter = Adapter.objects.create(tenant=tenant, name="desk", base_model=base)
    versions = []
    for number in (1, 2, 3):
        job = Job.objects.create(tenant=tenant, kind="training", title="Train", state=State.SUCCEEDED)
        run = TrainingRun.objects.create(tenant=tenant, adapter=adapter, dataset_version=data, job=job, recipe="style")
        versions.append(
            AdapterVersion.objects.create(
                tenant=tenant, adapter=adapter, number=number, run=run, package_key="packages/none",
                package_sha256=run.id.hex * 2, package_bytes=400_000, rank=16, manifest={"schema": 1}, metrics={},
            )
        )  # fmt: skip
    return versions


def answered_run(
    tenant: Tenant, versions: Sequence[AdapterVersion], writer: Writer, texts: Texts, *, rows: int
) -> EvaluationRun:
    """An evaluation of the base and `versions` whose answers are there and not scored yet."""
    *others, own = versions
    job = Job.objects.create(tenant=tenant, kind="evaluation", title="Evaluate", state=State.SUCCEEDED)
    run = EvaluationRun.objects.create(
        tenant=tenant, version=own, dataset_version=own.run.dataset_version, job=job, rows_wanted=rows,
        state=EvaluationState.READY,
    )  # fmt: skip
    models = EvaluatedModel.objects.bulk_create(contenders(run, base=True, versions=others))
    for numbers in _batches(rows):
        expected = [texts.expected() for _ in numbers]
        ids = {"tenant": tenant.id, "run": run.id, "position": numbers}
        _insert(ITEMS, ids | _items(writer, numbers, expected))
        for model, share in zip(models, SHARES, strict=True):
            given = [one if writer.rng.random() < share else texts.wrong(one) for one in expected]
            _insert(ANSWERS, ids | {"model": model.id, "text": given})
    return run


def judge(run: EvaluationRun, reviewer: User) -> None:
    """Grades of all answers by a language model, and an expert's of some rows."""
    means = {model.key: 3.5 for model in run.models.all()}
    judging = Judging.objects.create(
        tenant=run.tenant, run=run, state=JudgingState.READY, judges=[{"name": "Strict", "is_llm": True}],
        summary={name: {"figures": means, "differences": []} for name in run.summary},
    )  # fmt: skip
    _insert(GRADES, {"judging": judging.id, "run": run.id})
    graded = start_round(
        tenant=run.tenant, run=run, reviewers=[reviewer],
        design=Design(labels=max(1, run.items.count() // 100), shares=Shares(uniform=1, adversarial=0)),
    )  # fmt: skip
    graded.items.update(is_decided=True)
    Review.objects.bulk_create(
        Review(
            tenant=run.tenant, round_item=item, reviewer=reviewer, grade=1 + item.position % 5, seconds=20,
            comment="It leaves out the term." if item.position % 4 == 0 else "",
        )
        for item in graded.items.all()
    )  # fmt: skip


def half_graded_round(run: EvaluationRun, expert: User, other: User) -> ReviewRound:
    """A round of every row for two experts each, of which `expert` has graded the first half."""
    EvaluationRun.objects.filter(pk=run.pk).update(state=EvaluationState.READY)
    run.refresh_from_db()
    found: ReviewRound = start_round(
        tenant=run.tenant, run=run, reviewers=[expert, other],
        design=Design(labels=run.items.count(), shares=Shares(uniform=1, adversarial=0), reviewers_per_item=2),
    )  # fmt: skip
    items = list(found.items.order_by("position"))
    graded = items[: len(items) // 2]
    Turn.objects.bulk_create(
        Turn(tenant=run.tenant, round_item=item, reviewer=expert, state=TurnState.GRADED, expires_at=timezone.now())
        for item in graded
    )
    Review.objects.bulk_create(
        Review(tenant=run.tenant, round_item=item, reviewer=expert, grade=4, seconds=20) for item in graded
    )
    return found


def graded_round(run: EvaluationRun, experts: Sequence[User]) -> ReviewRound:
    """A round of every row that all `experts` have graded: mostly alike, now and then a grade or two apart."""
    rng = random.Random(SEED)
    found: ReviewRound = start_round(
        tenant=run.tenant, run=run, reviewers=experts,
        design=Design(
            labels=run.items.count(), shares=Shares(uniform=1, adversarial=0), reviewers_per_item=len(experts)
        ),
    )  # fmt: skip
    items = found.items.select_related("answer").defer("answer__text")
    Review.objects.bulk_create(
        (
            Review(
                tenant=run.tenant, round_item=item, reviewer=expert, seconds=20,
                grade=min(5, max(1, (5 if item.answer.is_right else 3) + rng.choice((-2, -1, 0, 0, 0, 0, 1)))),
            )
            for item in items
            for expert in experts
        ),
        batch_size=BATCH,
    )  # fmt: skip
    found.items.update(is_decided=True)
    return found


def _items(writer: Writer, numbers: Sequence[int], expected: list[str]) -> dict[str, Any]:
    prompts = [f"Row {number}: {writer.text(writer.length(90))}" for number in numbers]
    return {
        "slice": [TOPICS[number % len(TOPICS)] for number in numbers],
        "messages": [json.dumps([{"role": "user", "content": prompt}]) for prompt in prompts],
        "reference": expected,
        "sha256": [hashlib.sha256(prompt.encode()).hexdigest() for prompt in prompts],
    }


def _batches(rows: int) -> Iterator[list[int]]:
    for start in range(1, rows + 1, BATCH):
        yield list(range(start, min(start + BATCH, rows + 1)))


def _insert(sql: str, values: dict[str, Any]) -> None:
    # What row-level security goes by is set at the start of a transaction.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
