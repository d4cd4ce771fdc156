"""What came of an alignment, in a sentence. Pure."""

from evaluations.alignment.measured import FEWEST_PROMPTS, LEAST_GRADED, Figures, Span


def sentence(figures: Figures) -> str:
    """Whether the examples helped, for people."""
    if figures.verdict == "incomplete" or figures.nearer is None:
        return (
            f"Cannot say: the new version graded {figures.answers} of {figures.asked} answers, with {figures.prompts} "
            f"different prompts. At least {LEAST_GRADED:.0%} and {FEWEST_PROMPTS} prompts are needed."
        )
    nearer = figures.nearer
    measured = f"on {figures.answers} answers that are not among its examples"
    if figures.verdict == "better":
        return f"It helped: {measured}, the new version is nearer to experts by {_range(nearer)}."
    if figures.verdict == "worse":
        farther = Span(mean=-nearer.mean, low=-nearer.high, high=-nearer.low)
        return f"It did harm: {measured}, the new version is farther from experts by {_range(farther)}."
    return (
        f"It cannot be said whether it helped: {measured}, the new version is between {_signed(nearer.low)} and "
        f"{_signed(nearer.high)} grades nearer to experts (below 0: farther away), with 95% certainty."
    )


def _range(found: Span) -> str:
    return f"{found.mean:.2f} grades on average ({found.low:.2f} to {found.high:.2f} with 95% certainty)"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
