"""What a judge must show to be licensed."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Defaults, each with its reason. Grades are from 1 to 5.

    accuracy: answers to the built-in questions whose grade fits. To be wrong about one of their seven kinds throughout
    costs 15%, and a judge with such a blind spot is not to decide.
    adversarial: questions in which a fluent wrong answer gets less than a right one; by chance it is a half.
    lift: the most that a demand for the best grade may add to a wrong answer; half a grade decides between versions.
    constant: the highest mean grade of answers that fit no question; those deserve 1 or 2.
    labels: experts' grades that the judge's map is made of, and the fewest that agreement is stated for: an interval of
    a coefficient is as wide as the coefficient below that.
    agreement: Gwet's AC2 with quadratic weights, as it does not collapse where most answers are good. Of random grades
    it is about 0, of experts who differ by one grade in half of the cases about 0.8.
    margin: how far the mapped judge's mean may be off on fresh rows, in grades; about the smallest difference between
    two versions that anyone acts upon. None: not audited, and so never licensed by that alone.
    frozen: answers that are judged again every night; enough to see a shift of the margin where a judge repeats itself
    to half a grade.
    """

    accuracy: float = 0.85
    adversarial: float = 0.75
    lift: float = 0.5
    constant: float = 2.5
    labels: int = 30
    agreement: float = 0.6
    margin: float | None = 0.3
    frozen: int = 20


TERMS = Terms()

FIRST_LOOK = 20
"""Fresh labels at which the audit is first held; then at twice as many each time.

An audit that is held after every review would pass a biased judge sooner or later; few looks keep that rare.
"""
