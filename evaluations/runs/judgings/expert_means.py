"""What experts would have given each model on average, said beside the judge's mean. A higher room works it out.

In an `AppConfig.ready`: `register(known_means)`, where `known_means(judging)` returns {model's key: mean grade, 1 to 5}
of what is known already: pages ask for it whenever they say the judge's mean.
"""

from collections.abc import Callable, Mapping

from evaluations.models import Judging

MeanSource = Callable[[Judging], Mapping[str, float]]

_sources: list[MeanSource] = []


def register(source: MeanSource) -> None:
    """Ask `source` whenever a judge's means are shown."""
    if source not in _sources:
        _sources.append(source)


def expert_means(judging: Judging | None) -> dict[str, str]:
    """{model's key: mean as text}, of the models for which it is known."""
    if judging is None:
        return {}
    found: dict[str, float] = {}
    for source in _sources:
        found |= source(judging)
    return {key: f"{mean:.1f}" for key, mean in found.items()}
