"""Evaluations: the models compared, the rows, and the answers with their scores."""

from typing import TYPE_CHECKING

from django.db import models

from adapters.models import AdapterVersion, BaseModel
from corpora.models import DatasetVersion
from evaluations.texts import similarity_text
from evaluations.turns import Turn, turns_of
from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantModel, User

if TYPE_CHECKING:
    from evaluations.models.judgings import Judging


class EvaluationState(models.TextChoices):
    """An evaluation can be viewed and reviewed once it is ready, and never changes after that."""

    RUNNING = "running", "Running"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


class EvaluationRun(TenantModel):
    """One or more models on the same rows of a dataset version.

    It is about one of them, which is compared with the others: an adapter version, or without one the base model or an
    outside model.
    """

    version = TenantForeignKey(
        AdapterVersion,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="evaluations",
        help_text="that the evaluation is about, if it is about one",
    )
    about = models.CharField(
        max_length=80, default="", db_default="", help_text="Key of the model that the evaluation is about."
    )
    base_model = models.ForeignKey(
        BaseModel,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="that the evaluation is about; null if it is about a version or an outside model",
    )
    dataset_version = TenantForeignKey(DatasetVersion, models.PROTECT, related_name="evaluations")
    job = TenantOneToOneField(Job, models.PROTECT, related_name="evaluation_run")
    state = models.CharField(max_length=16, choices=EvaluationState, default=EvaluationState.RUNNING)
    rows_wanted = models.PositiveIntegerField(
        default=1000, db_default=1000, help_text="At most so many rows, always the same sample."
    )
    has_alternatives = models.BooleanField(
        default=False, db_default=False, help_text="Whether what needs no training answers the rows too."
    )
    answer_tokens = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Longest answer, in tokens; 0 before the rows are there."
    )
    summary = models.JSONField(
        default=dict,
        help_text="{slice: {rows, figures: {model: {metric: figure}}, differences: [...], unavailable: {...}}}; "
        "slice `all` is the total, which also has `columns`",
    )
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "version"),
                name="evaluation_running_once",
                condition=models.Q(state=EvaluationState.RUNNING),
            ),
            models.UniqueConstraint(
                fields=("tenant", "about", "base_model"),
                name="evaluation_without_version_running_once",
                condition=models.Q(state=EvaluationState.RUNNING, version=None),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=~models.Q(version=None, about="")
                & models.Q(models.Q(version=None) | models.Q(base_model=None)),
                name="evaluation_about_one_model",
            ),
        )

    def __str__(self) -> str:
        return f"{self.title} on {self.dataset_version}"

    @property
    def own_key(self) -> str:
        """`about`, also of an evaluation that an older release started while this one was being rolled out."""
        return self.about or f"v{self.version.number}"

    @property
    def title(self) -> str:
        """The model that the evaluation is about, as pages call it."""
        named: AdapterVersion | BaseModel | None = self.version or self.base_model
        if named is not None:
            return str(named)
        return next((model.name for model in self.models.all() if model.key == self.own_key), self.own_key)

    @property
    def base(self) -> BaseModel | None:
        """The model beneath all adapter versions that answer; None where only outside models do."""
        found: BaseModel | None = self.version.adapter.base_model if self.version is not None else self.base_model
        return found

    @property
    def contenders(self) -> "list[EvaluatedModel]":
        """The models that the evaluation is to compare, in order: all but the alternatives to training."""
        return [model for model in self.models.all() if not model.is_alternative]

    @property
    def last_judging(self) -> "Judging | None":
        """The newest judging that has grades."""
        return next((one for one in self.judgings.all() if one.has_grades), None)


class ModelKind(models.TextChoices):
    """What answers: the base alone, the base with an adapter, a model that runs elsewhere, or what needs no training.

    Of the latter, the base may be shown examples from the training rows, the answer of the training row that is most
    like the question may be looked up, or the question be classified by the training rows of each label.
    """

    BASE = "base", "Base model"
    VERSION = "version", "Adapter version"
    OUTSIDE = "outside", "Outside model"
    FEW_SHOT = "few_shot", "Base model with examples"
    LOOK_UP = "look_up", "Look-up"
    CLASSIFIER = "classifier", "Classifier"


ALTERNATIVES = (ModelKind.FEW_SHOT, ModelKind.LOOK_UP, ModelKind.CLASSIFIER)
"""What would need no training, each under its kind as its key. Only the first asks a language model."""


class EvaluatedModel(TenantModel):
    """A model that answers the rows of an evaluation.

    `key` is its name within the evaluation (`base`, `v3`), in addresses and exports; `sha256` identifies what computes
    its answers.
    """

    run = TenantForeignKey(EvaluationRun, models.CASCADE, related_name="models", db_index=False)
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=160, help_text="as pages show it")
    kind = models.CharField(max_length=16, choices=ModelKind)
    version = TenantForeignKey(AdapterVersion, models.CASCADE, null=True, blank=True, related_name="+")
    judge = TenantForeignKey("Judge", models.SET_NULL, null=True, blank=True, related_name="+")
    sha256 = models.CharField(max_length=64)
    facts = models.JSONField(
        default=dict,
        db_default={},
        help_text="of an alternative: {likeness, by_meaning, rows, of, left_out}, how it finds which training rows",
    )

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("tenant", "run", "key"), name="evaluated_model_once"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_alternative(self) -> bool:
        """Whether it answers without training."""
        return self.kind in ALTERNATIVES


class EvaluationItem(TenantModel):
    """One row of an evaluation: the prompt and the reference. Its answers are rows of their own."""

    # Without an index of its own: that of the order of reviews begins with it.
    run = TenantForeignKey(EvaluationRun, models.CASCADE, related_name="items", db_index=False)
    position = models.PositiveIntegerField()
    slice = models.CharField(max_length=80, default="all")
    messages = models.JSONField(help_text="the prompt, as chat messages")
    tools = models.JSONField(default=list, db_default=[], help_text="the functions that the model may call")
    reference = models.TextField()
    metadata = models.JSONField(
        default=dict, db_default={}, help_text="{column: value}, what is kept with the row, and its language"
    )
    prompt_sha256 = models.CharField(max_length=64, db_default="", default="")
    prompt_length = models.PositiveIntegerField(db_default=0, default=0, help_text="in characters")
    uncertainty = models.FloatField(default=0.0, help_text="0..1; experts see the highest first")
    nearest = models.JSONField(
        default=list, db_default=[], help_text="ids of the training rows with the most similar prompts, best first"
    )
    likeness = models.FloatField(
        null=True, blank=True, help_text="0..1, how similar the prompt is to that of the training row `most_alike`"
    )
    most_alike = models.CharField(
        max_length=64, default="", db_default="", help_text="id of the training row whose prompt is the most similar"
    )

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("tenant", "run", "position"), name="evaluation_item_once"),)
        indexes = (
            models.Index(fields=("run", "-uncertainty", "position"), name="evaluation_item_review_order"),
            # What grids filter and sort rows by, so that they need not read the rows themselves.
            models.Index(
                fields=("run", "position"),
                include=("tenant", "id", "slice", "prompt_length"),
                name="evaluation_item_order",
            ),
        )

    def __str__(self) -> str:
        return f"row {self.position}"

    @property
    def turns(self) -> list[Turn]:
        return turns_of(self.messages)

    @property
    def asked(self) -> list[Turn]:
        """The turns without instructions, which are mostly the same in every row; all if there is nothing else."""
        return [turn for turn in self.turns if turn.role != "system"] or self.turns

    @property
    def similarity(self) -> str:
        """How similar the nearest training row is, as pages show it; empty where it is not known."""
        return "" if self.likeness is None else similarity_text(self.likeness)

    @property
    def is_plain(self) -> bool:
        """Whether the prompt is nothing but roles and texts, which the shared endpoint can be asked."""
        return not self.tools and all(
            message.keys() == {"role", "content"} and message["role"] != "tool" for message in self.messages
        )


class AnswerError(models.TextChoices):
    """Why a model that runs elsewhere gave no answer."""

    REFUSED = "refused", "The model declined to answer"
    CUT_OFF = "cut_off", "Longer than the model allows"
    MALFORMED = "malformed", "The server’s reply could not be read"
    REJECTED = "rejected", "The server did not take the request"


class Answer(TenantModel):
    """What one model answered to one row.

    `key` identifies what computed it (model, prompt and sampling), so that the same is never generated or paid twice.
    """

    item = TenantForeignKey(EvaluationItem, models.CASCADE, related_name="answers", db_index=False)
    model = TenantForeignKey(EvaluatedModel, models.CASCADE, related_name="answers", db_index=False)
    key = models.CharField(max_length=64)
    text = models.TextField()
    log_probability = models.FloatField(null=True, blank=True, help_text="natural logarithm, of the whole answer")
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    examples = models.PositiveSmallIntegerField(null=True, blank=True, help_text="training rows in the prompt")
    seconds = models.FloatField(null=True, blank=True)
    usd = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)
    error = models.CharField(
        max_length=16, choices=AnswerError, blank=True, default="", db_default="", help_text="Why there is no answer."
    )
    scores = models.JSONField(default=dict, help_text="{metric: score or null}")
    is_right = models.BooleanField(null=True, blank=True, help_text="Exactly the expected answer; null until scored.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "item", "model"), name="answer_once"),)
        indexes = (
            models.Index(fields=("tenant", "key"), name="answer_known"),
            # What the head and the filters of a grid count, so that they need not read the answers themselves.
            models.Index(
                fields=("model", "is_right"),
                include=("tenant", "item", "completion_tokens", "seconds", "log_probability"),
                name="answer_grid",
            ),
        )

    def __str__(self) -> str:
        return f"answer of {self.model_id}"
