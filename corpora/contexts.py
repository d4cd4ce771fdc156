"""The base models whose tokens and context length rows are measured in. Higher floors register sources of them.

Call `register(base_model_contexts)` in an `AppConfig.ready`. The source returns a `corpora.ingest.contracts.Context`
for each base model.
"""

from collections.abc import Callable, Iterable

from corpora.ingest.contracts import Context

ContextSource = Callable[[], Iterable[Context]]

_sources: list[ContextSource] = []


def register(source: ContextSource) -> None:
    """Add a source of contexts. Registering a source twice has no effect."""
    if source not in _sources:
        _sources.append(source)


def contexts() -> list[Context]:
    """All contexts, in the order of their sources."""
    return [context for source in _sources for context in source()]


def context_named(name: str) -> Context | None:
    """The context called `name`, or None if there is none. An empty name returns the first context."""
    return next((context for context in contexts() if name in ("", context.name)), None)
