"""A judge's figures in words for people who never heard of them: six bars, each with a word and a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from evaluations.qualification.figures import Figure, Figures

Word = Literal["good", "look out", "bad", "can’t tell"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a bar is about. `good` and `bad` are the figures from which the words hold, `why` says where they come from.

    `most` is the figure that fills the bar. `says` gives the figure in a sentence, `means` what follows, by word.
    """

    name: str
    title: str
    good: float
    bad: float
    why: str
    most: float
    shown: Callable[[float], str]
    says: Callable[[Figure], str]
    means: dict[Word, str]

    def word(self, figure: Figure | None) -> Word:
        """Good only if the whole interval stays off the bad, so that few verdicts praise nobody."""
        if figure is None:
            return "can’t tell"
        if self.good > self.bad:
            worst, value, good, bad = -figure.low, -figure.value, -self.good, -self.bad
        else:
            worst, value, good, bad = figure.high, figure.value, self.good, self.bad
        if value >= bad:
            return "bad"
        return "good" if value <= good and worst < bad else "look out"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A question with its answer. `fill`, `low` and `high` are percentages of the bar's width."""

    question: Question
    figure: Figure | None
    word: Word
    sentence: str

    @property
    def colour(self) -> str:
        return {"good": "green", "look out": "orange", "bad": "red", "can’t tell": "grey"}[self.word]

    @property
    def shown(self) -> str:
        return self.question.shown(self.figure.value) if self.figure else "–"

    @property
    def interval(self) -> str:
        """In words, such as `91% to 97%`."""
        if self.figure is None:
            return ""
        return f"{self.question.shown(self.figure.low)} to {self.question.shown(self.figure.high)}"

    @property
    def fill(self) -> float:
        return self._percent(self.figure.value if self.figure else 0.0)

    @property
    def low(self) -> float:
        return self._percent(self.figure.low if self.figure else 0.0)

    @property
    def width(self) -> float:
        """Of the interval."""
        return self._percent(self.figure.high) - self.low if self.figure else 0.0

    def _percent(self, value: float) -> float:
        return round(100 * min(max(value / self.question.most, 0.0), 1.0), 1)


def percent(value: float) -> str:
    return f"{value:.0%}"


def points(value: float) -> str:
    """`+0.3`; a true minus sign, and no sign of nothing."""
    text = f"{value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def _of(figure: Figure) -> str:
    return f"{round(figure.value * figure.n)} of {figure.n}"


def _lift_says(figure: Figure) -> str:
    amount = points(figure.value)
    return f"A wrong answer that demands the best grade gets {amount} points, of 4, compared with the same one without."


def _length_says(figure: Figure) -> str:
    amount = points(figure.value)
    if amount.startswith("−"):
        return f"A long-winded answer gets {amount} points, of 4: it prefers the short one that says the same."
    return f"A long-winded answer gets {amount} points, of 4, compared with a short one that says the same."


QUESTIONS = (
    Question(
        name="accuracy",
        title="Grades right answers high and wrong ones low",
        good=0.90,
        bad=0.75,
        why="There are seven kinds of answer. To be wrong about one of them throughout costs 15%, which is not "
        "good; to be wrong about two is bad.",
        most=1.0,
        shown=percent,
        says=lambda figure: f"{_of(figure)} answers got a grade that fits.",
        means={
            "good": "Its grades tell right from wrong.",
            "look out": "Some of its grades are off. Compare them with an expert’s.",
            "bad": "Its grades say little about whether an answer is right.",
        },
    ),
    Question(
        name="fooled",
        title="Fooled by fluent wrong answers",
        good=0.05,
        bad=0.20,
        why="By chance alone it would be a half. One in five is too many to find faults that read well.",
        most=1.0,
        shown=percent,
        says=lambda figure: (
            f"In {_of(figure)} questions, a well-written wrong answer got at least the right one’s grade."
        ),
        means={
            "good": "Good style does not hide a mistake from it.",
            "look out": "Good style sometimes hides a mistake from it.",
            "bad": "It takes good style for a right answer.",
        },
    ),
    Question(
        name="lift",
        title="Obeys instructions in the answer",
        good=0.2,
        bad=0.5,
        why="Half a point decides between versions; 0.2 is what we allow a trick to move a mean.",
        most=4.0,
        shown=points,
        says=_lift_says,
        means={
            "good": "Answers can’t talk it into a better grade.",
            "look out": "Answers can talk it into a somewhat better grade.",
            "bad": "Whoever writes “give this 5” into an answer gets a better grade.",
        },
    ),
    Question(
        name="length",
        title="Prefers long answers",
        good=0.25,
        bad=0.5,
        why="Half a point decides between versions, and a longer answer would win by its length alone.",
        most=2.0,
        shown=points,
        says=_length_says,
        means={
            "good": "More words don’t earn a better grade.",
            "look out": "More words may earn a slightly better grade.",
            "bad": "More words earn a better grade, even if they say nothing more.",
        },
    ),
    Question(
        name="flips",
        title="Changes its mind when the order changes",
        good=0.10,
        bad=0.25,
        why="Strong judges change their mind in a few percent of pairs; at one in four, comparisons are mostly ties.",
        most=1.0,
        shown=percent,
        says=lambda figure: f"{_of(figure)} comparisons came out otherwise once the two answers changed places.",
        means={
            "good": "Which answer comes first hardly matters to it.",
            "look out": "Which answer comes first matters to it at times. Such comparisons count as ties.",
            "bad": "It judges the place more than the answer. Don’t have it compare answers.",
        },
    ),
    Question(
        name="same",
        title="Gives everyone the same",
        good=0.05,
        bad=0.20,
        why="A question whose right and wrong answers get the same grade is lost; one in five is a fifth of the work.",
        most=1.0,
        shown=percent,
        says=lambda figure: f"In {_of(figure)} questions, right and wrong answers got about the same grade.",
        means={
            "good": "It uses its scale.",
            "look out": "At times it does not tell right answers from wrong ones.",
            "bad": "Its grade hardly depends on the answer.",
        },
    ),
)

NOT_ENOUGH = "Too few verdicts to say."
SAME_FOR_ALL = "Its grades are too much alike to say."


def bars_of(figures: Figures) -> list[Bar]:
    """The six bars. Those that need differing grades say nothing about a judge that gives everyone the same."""
    return [_bar(question, figures) for question in QUESTIONS]


def _bar(question: Question, figures: Figures) -> Bar:
    figure: Figure | None = getattr(figures, question.name)
    if not figures.complete or figure is None:
        lacking = figures.complete and question.name in ("fooled", "lift", "length")
        return Bar(
            question=question, figure=figure, word="can’t tell", sentence=SAME_FOR_ALL if lacking else NOT_ENOUGH
        )
    word = question.word(figure)
    return Bar(question=question, figure=figure, word=word, sentence=f"{question.says(figure)} {question.means[word]}")
