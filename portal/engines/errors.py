"""Why an engine does not answer. Texts are for the people of the site: they reach pages and callers."""

from lorakit.serve.requests.errors import ApiError


def not_found(name: str) -> ApiError:
    return ApiError(404, f"This machine has no files of a base model called {name!r}.", "no_base_model")


def no_room(title: str) -> ApiError:
    text = f"All memory for engines is in use by other base models, so that of {title} can’t start now. Try again soon."
    return ApiError(503, text, "no_memory")


def too_large(title: str, wanted: int, budget: int) -> ApiError:
    text = f"{title} needs {wanted / 2**30:.1f} GiB, more than all engines may take here ({budget / 2**30:.1f} GiB)."
    return ApiError(503, text, "too_large")


def did_not_start(title: str) -> ApiError:
    return ApiError(503, f"The engine of {title} did not start. Its log says why.", "did_not_start")


def lost(title: str) -> ApiError:
    return ApiError(503, f"The engine of {title} ended while it answered. Try again.", "engine_lost")
