"""The base models that rows are measured against; the floor above knows them and registers a source.

In an `AppConfig.ready`: `register(base_model_contexts)`, which returns a `corpora.ingest.contracts.Context` for each.
"""

from collections.abc import Callable, Iterable

from corpora.ingest.contracts import Context

ContextSource = Callable[[], Iterable[Context]]

_sources: list[ContextSource] = []


def register(source: ContextSource) -> None:
    """Ask `source` whenever rows are to be measured."""
    if source not in _sources:
        _sources.append(source)


def contexts() -> list[Context]:
    """What there is to choose from, in the sources' order."""
    return [context for source in _sources for context in source()]


def context_named(name: str) -> Context | None:
    """The context of that name; the first there is for an empty one."""
    return next((context for context in contexts() if name in ("", context.name)), None)
