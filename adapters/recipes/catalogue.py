"""Recipes: what the customer wants to teach, in their words, with suitable hyperparameters and the reasons for them.

The numbers for real bases follow the practice of the field for QLoRA (Dettmers et al., 2023): attention and
MLP layers with a high rank for new knowledge, fewer layers and a low rank where only the form changes, alpha
at twice the rank, or equal to it where the base model's style must be kept. The smaller a base model, the higher the
rate it needs: the numbers of small real bases were measured on SmolLM2 135M, those of the tiny synthetic one on it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.models import BaseModel
from adapters.recipes.hyperparameters import ATTENTION, VALUE_AND_OUTPUT, Hyperparameters, Modules
from adapters.recipes.measured import SMOLLM2, Measured, measured_on
from rest.errors import PortalError

BATCHES = {
    "batch_size": "Small enough for long rows to fit into the memory of one GPU.",
    "gradient_accumulation": "Four batches per step smooth the gradient as one batch of 16 rows would.",
    "max_length": "Longer rows are skipped. A lower limit needs less memory.",
    "learn": "Every answer of a conversation is an example of what you want.",
}
TINY_BATCHES = {
    "batch_size": "A batch that one CPU core handles well.",
    "gradient_accumulation": "One batch per step: a model this small needs little memory.",
    "max_length": "Longer rows are skipped. A few lines of text stay well below the limit.",
    "learn": "Every answer of a conversation is an example of what you want.",
}


SMALL_PARAMETERS = 1_000_000_000
"""Real bases with fewer parameters are small ones. 0 is an unknown number."""


def _is_small(base_model: BaseModel) -> bool:
    return 0 < base_model.parameters < SMALL_PARAMETERS


@dataclass(frozen=True, kw_only=True)
class Advice:
    """Hyperparameters for one kind of base model, and a one-line reason for each important one, by name."""

    hyperparameters: Hyperparameters
    reasons: Mapping[str, str]
    measured: Measured | None = None
    """What the reasons quote, on this base model or the nearest one."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """`title` and `text` are for the customer; `real` and `synthetic` hold the numbers by kind of base."""

    key: str
    title: str
    text: str
    icon: str
    real: Advice
    synthetic: Advice

    def for_base(self, base_model: BaseModel, rows: int | None = None) -> Advice:
        """The advice for this base model and so many training rows, None where they are not known.

        `max_length` never exceeds the model's context length.
        """
        if base_model.is_synthetic:
            advice = self.synthetic
        elif _is_small(base_model):
            advice = _with_epochs_for(rows, SMALL)
        else:
            advice = self.real
        numbers = advice.hyperparameters
        longest = min(numbers.max_length, base_model.context_length)
        return replace(
            advice,
            hyperparameters=replace(numbers, max_length=longest),
            measured=measured_on(base_model) or advice.measured,
        )


def _advice(
    *,
    rank: tuple[int, str],
    alpha: tuple[int, str],
    target_modules: tuple[Modules, str],
    epochs: tuple[float, str],
    learning_rate: tuple[float, str],
) -> Advice:
    """Advice for a real base, each number with its reason."""
    return Advice(
        hyperparameters=Hyperparameters(
            rank=rank[0],
            alpha=alpha[0],
            target_modules=target_modules[0],
            epochs=epochs[0],
            learning_rate=learning_rate[0],
            batch_size=4,
            gradient_accumulation=4,
            max_length=2048,
        ),
        reasons={
            "rank": rank[1],
            "alpha": alpha[1],
            "target_modules": target_modules[1],
            "epochs": epochs[1],
            "learning_rate": learning_rate[1],
            **BATCHES,
        },
    )


def _tiny(learning_rate: float, reason: str) -> Advice:
    """Advice for the synthetic base, on which only the learning rate depends on the task."""
    return Advice(
        hyperparameters=Hyperparameters(
            rank=16,
            alpha=32,
            target_modules="all-linear",
            epochs=3.0,
            learning_rate=learning_rate,
            batch_size=8,
            gradient_accumulation=1,
            max_length=512,
        ),
        reasons={
            "rank": "Measured on this small model. 8 works nearly as well.",
            "alpha": "Twice the rank, the usual scaling.",
            "target_modules": "The model is so small that adapting every layer costs almost nothing.",
            "epochs": "Three epochs were enough to learn a format from 300 to 1,000 rows.",
            "learning_rate": reason,
            **TINY_BATCHES,
        },
    )


SMALL = Advice(
    hyperparameters=Hyperparameters(
        rank=16,
        alpha=32,
        target_modules="all-linear",
        epochs=3.0,
        learning_rate=1e-3,
        batch_size=8,
        gradient_accumulation=1,
        max_length=512,
    ),
    reasons={
        "rank": (
            f"Exact match on {SMOLLM2.title}: {SMOLLM2.said('rank_8')} with rank 8, {SMOLLM2.said('usual')} with 16, "
            f"{SMOLLM2.said('rank_32')} with 32."
        ),
        "alpha": (
            f"Twice the rank: {SMOLLM2.said('usual')} on {SMOLLM2.title}; {SMOLLM2.said('alpha_r')} if equal to the "
            f"rank, {SMOLLM2.said('alpha_4r')} at four times."
        ),
        "target_modules": (
            f"All layers: {SMOLLM2.said('usual')} on {SMOLLM2.title}; {SMOLLM2.said('attention')} with attention "
            f"alone, {SMOLLM2.said('value_and_output')} with value and output alone."
        ),
        "epochs": "Measured: with 216 clauses, exact match was 0.73 after 2.5 epochs and 0.79 after three.",
        "learning_rate": "Five times that of large models. Below it, a few hundred rows teach a small model little.",
        **TINY_BATCHES,
    },
    measured=SMOLLM2,
)
"""For real bases of fewer than a billion parameters, whatever is taught: they differ less by recipe than by size."""

ROWS_READ = 648
"""How many rows a small model has to read, the same ones again or not: three epochs of 216 rows."""
MOST_EPOCHS = 20


def _with_epochs_for(rows: int | None, advice: Advice) -> Advice:
    """More epochs where there are so few rows that the usual number would be too few steps."""
    usual = advice.hyperparameters.epochs
    epochs = min(MOST_EPOCHS, math.ceil(ROWS_READ / rows)) if rows else usual
    if epochs <= usual:
        return advice
    three, more = SMOLLM2.said("rows_75"), SMOLLM2.said("rows_75_epochs_9")
    few_three, few_more = SMOLLM2.said("rows_30"), SMOLLM2.said("rows_30_epochs_20")
    reason = (
        "Few rows have to be read more often. "
        f"Exact match on {SMOLLM2.title}: with 75 rows {three} after three epochs and {more} after nine, "
        f"with 30 rows {few_three} after three and {few_more} after twenty."
    )
    return replace(
        advice,
        hyperparameters=replace(advice.hyperparameters, epochs=float(epochs)),
        reasons={**advice.reasons, "epochs": reason},
    )


_ALL = (
    Recipe(
        key="knowledge",
        title="Facts and knowledge",
        text="Answers need facts from your field that a general model doesn’t know.",
        icon="books",
        real=_advice(
            rank=(32, "New facts need capacity: 32 to 64."),
            alpha=(64, "Twice the rank, the usual scaling."),
            target_modules=("all-linear", "Attention and MLP layers. Facts are stored mostly in the MLP layers."),
            epochs=(3.0, "Facts need repetition, but after three epochs the model starts to memorise rows."),
            learning_rate=(2e-4, "The usual rate for QLoRA on models of 7 to 13 billion parameters."),
        ),
        synthetic=_tiny(5e-3, "High, because a tiny model has to learn to copy names and numbers."),
    ),
    Recipe(
        key="style",
        title="Style and format",
        text="The model knows enough, but should write in your organisation’s style.",
        icon="writing",
        real=_advice(
            rank=(16, "A writing style is a small change. 16 is enough."),
            alpha=(32, "Twice the rank, the usual scaling."),
            target_modules=(
                ATTENTION,
                "All attention layers. Style depends on what the model attends to, not on facts.",
            ),
            epochs=(3.0, "Three epochs establish a style. More only repeat your wording."),
            learning_rate=(2e-4, "The usual rate for QLoRA on models of 7 to 13 billion parameters."),
        ),
        synthetic=_tiny(5e-3, "Measured: clause summaries reach 0.96 exact match at this rate."),
    ),
    Recipe(
        key="structured",
        title="Structured output",
        text="Free text in; JSON, a form or a fixed format out.",
        icon="braces",
        real=_advice(
            rank=(8, "A fixed structure needs few parameters."),
            alpha=(16, "Twice the rank, the usual scaling."),
            target_modules=(VALUE_AND_OUTPUT, "Value and output layers. Only the form of the output changes."),
            epochs=(2.0, "A structure is learned quickly. Two epochs are enough."),
            learning_rate=(2e-4, "The usual rate for QLoRA on models of 7 to 13 billion parameters."),
        ),
        synthetic=_tiny(2e-3, "Measured: ticket triage lines reach 1.0 exact match at this rate."),
    ),
    Recipe(
        key="classification",
        title="Classification",
        text="Each text belongs to one of a few classes, and the answer is the class name.",
        icon="tags",
        real=_advice(
            rank=(8, "Choosing between a few classes needs few parameters."),
            alpha=(16, "Twice the rank, the usual scaling."),
            target_modules=("all-linear", "All layers. Any of them may separate the classes."),
            epochs=(3.0, "Answers are short, so each row teaches little. Three epochs make up for it."),
            learning_rate=(2e-4, "The usual rate for QLoRA on models of 7 to 13 billion parameters."),
        ),
        synthetic=_tiny(2e-3, "Measured: coding notes reaches 1.0 exact match at this rate."),
    ),
    Recipe(
        key="dialogue",
        title="Nuance and dialogue",
        text="Longer conversations where tone, tact and judgement matter.",
        icon="messages",
        real=_advice(
            rank=(16, "Enough for nuance, but low enough to keep the base model’s fluency."),
            alpha=(16, "Equal to the rank, which preserves the base model’s style."),
            target_modules=(ATTENTION, "All attention layers. Nuance depends on what the model attends to."),
            epochs=(2.0, "Two epochs. Dialogues repeated more often come back word for word."),
            learning_rate=(1e-4, "Half the usual rate, for gentle changes."),
        ),
        synthetic=_tiny(2e-3, "The lower of the two rates that work on this model, for gentle changes."),
    ),
)

RECIPES: Mapping[str, Recipe] = {recipe.key: recipe for recipe in _ALL}


def get_recipe(key: str) -> Recipe:
    """The recipe with this key. Raises PortalError that lists the valid keys."""
    if key not in RECIPES:
        text = f"Unknown recipe “{key}”. Choose one of: {', '.join(RECIPES)}."
        raise PortalError(text, code="training:unknown_recipe", field="recipe")
    return RECIPES[key]
