"""Recipes: what the customer wants to teach, in their words, and the numbers that suit it, with reasons.

The numbers for real bases follow the practice of the field for QLoRA (Dettmers et al., 2023): attention and
MLP layers with a high rank for new knowledge, fewer layers and a low rank where only the form changes, alpha
at twice the rank, or equal to it where the base's manner must be kept. The tiny synthetic base, a thousand
times smaller, needs ten times the learning rate: its numbers are measured on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.models import BaseModel
from adapters.recipes.hyperparameters import ATTENTION, VALUE_AND_OUTPUT, Hyperparameters, Modules
from rest.errors import PortalError

BATCHES = {
    "batch_size": "Small, so that long rows fit into the memory of one GPU.",
    "gradient_accumulation": "Four batches a step steady the direction as 16 rows at once would.",
    "max_length": "Longer rows are left out; shorter limits need less memory.",
}
TINY_BATCHES = {
    "batch_size": "Rows a step that one CPU core handles well.",
    "gradient_accumulation": "A batch is a step: memory is no limit for a model this small.",
    "max_length": "Longer rows are left out; a few lines of text are well below it.",
}


@dataclass(frozen=True, kw_only=True)
class Advice:
    """Numbers for one kind of base, and one line on why for each that matters, by its name."""

    hyperparameters: Hyperparameters
    reasons: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """`title` and `text` are for the customer; `real` and `synthetic` hold the numbers by kind of base."""

    key: str
    title: str
    text: str
    icon: str
    real: Advice
    synthetic: Advice

    def for_base(self, base_model: BaseModel) -> Advice:
        """The advice that holds for this base; no row is longer than the base can read."""
        advice = self.synthetic if base_model.is_synthetic else self.real
        numbers = advice.hyperparameters
        longest = min(numbers.max_length, base_model.context_length)
        return replace(advice, hyperparameters=replace(numbers, max_length=longest))


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
            "rank": "Measured on this small model; 8 does nearly as well.",
            "alpha": "Twice the rank, the usual strength.",
            "target_modules": "The model is so small that adapting all of it costs next to nothing.",
            "epochs": "Three passes were enough to learn a format from 300 to 1,000 rows.",
            "learning_rate": reason,
            **TINY_BATCHES,
        },
    )


_ALL = (
    Recipe(
        key="knowledge",
        title="Facts and knowledge",
        text="The answers need facts from your field that a general model does not know.",
        icon="books",
        real=_advice(
            rank=(32, "New facts need room: 32 to 64."),
            alpha=(64, "Twice the rank, the usual strength."),
            target_modules=("all-linear", "Attention and MLP layers: facts sit mostly in the MLP layers."),
            epochs=(3.0, "Facts must be met more than once; after three passes memorising sets in."),
            learning_rate=(2e-4, "The usual rate for QLoRA on 7 to 13 billion parameters."),
        ),
        synthetic=_tiny(5e-3, "High, because a tiny model has to learn to carry names and numbers over."),
    ),
    Recipe(
        key="style",
        title="Style and format",
        text="The model knows enough, but must write the way your house writes.",
        icon="writing",
        real=_advice(
            rank=(16, "A manner of writing is a small change: 16 holds it."),
            alpha=(32, "Twice the rank, the usual strength."),
            target_modules=(ATTENTION, "All attention layers: style is about what to attend to, not facts."),
            epochs=(3.0, "Three passes settle a style; more only repeats your wording."),
            learning_rate=(2e-4, "The usual rate for QLoRA on 7 to 13 billion parameters."),
        ),
        synthetic=_tiny(5e-3, "Measured: clauses to summaries reach 0.96 exact match at this rate."),
    ),
    Recipe(
        key="structured",
        title="Structured output",
        text="Free text goes in; JSON, a form or a fixed line comes out.",
        icon="braces",
        real=_advice(
            rank=(8, "A fixed structure needs few parameters."),
            alpha=(16, "Twice the rank, the usual strength."),
            target_modules=(VALUE_AND_OUTPUT, "Value and output layers: only what is written changes."),
            epochs=(2.0, "A structure is learnt fast; two passes are enough."),
            learning_rate=(2e-4, "The usual rate for QLoRA on 7 to 13 billion parameters."),
        ),
        synthetic=_tiny(2e-3, "Measured: tickets to triage lines reach 1.0 exact match at this rate."),
    ),
    Recipe(
        key="classification",
        title="Classification",
        text="Each text belongs to one of a few classes; the answer is the name of the class.",
        icon="tags",
        real=_advice(
            rank=(8, "Choosing among a few classes needs few parameters."),
            alpha=(16, "Twice the rank, the usual strength."),
            target_modules=("all-linear", "All layers: what tells classes apart may sit in any of them."),
            epochs=(3.0, "Answers are short, so each row teaches little; three passes make up for it."),
            learning_rate=(2e-4, "The usual rate for QLoRA on 7 to 13 billion parameters."),
        ),
        synthetic=_tiny(2e-3, "Measured: notes to codes reach 1.0 exact match at this rate."),
    ),
    Recipe(
        key="dialogue",
        title="Nuance and dialogue",
        text="Longer conversations in which tone, tact and judgement count.",
        icon="messages",
        real=_advice(
            rank=(16, "Enough for nuance, little enough to keep the base's fluency."),
            alpha=(16, "Equal to the rank: a careful strength that keeps the base's manner."),
            target_modules=(ATTENTION, "All attention layers: nuance is about what to attend to."),
            epochs=(2.0, "Two passes; dialogues that are repeated more often come back word for word."),
            learning_rate=(1e-4, "Half the usual rate, to change gently."),
        ),
        synthetic=_tiny(2e-3, "The lower of the two rates that work on this model, to change gently."),
    ),
)

RECIPES: Mapping[str, Recipe] = {recipe.key: recipe for recipe in _ALL}


def get_recipe(key: str) -> Recipe:
    """The recipe of that key; raises PortalError naming those there are."""
    if key not in RECIPES:
        text = f"There is no recipe “{key}”. Choose among {', '.join(RECIPES)}."
        raise PortalError(text, code="training:unknown_recipe", field="recipe")
    return RECIPES[key]
