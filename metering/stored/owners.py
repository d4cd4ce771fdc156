"""Which adapter an object belongs to, by its key."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from adapters.models import AdapterVersion, TrainingRun
from evaluations.models import EvaluationRun

ADAPTERS, CHECKPOINTS, EVALUATIONS = "adapters", "checkpoints", "evaluations"


def kind_of(key: str) -> str:
    """The folder that an object is in, such as "datasets"."""
    return key.split("/")[2][:40]


def owners_of(keys: Iterable[str]) -> Mapping[str, str]:
    """The adapters' names of those of the active tenant's objects that belong to one.

    Of a package that versions of several adapters share, that of the first version.
    """
    named: dict[str, set[str]] = {ADAPTERS: set(), CHECKPOINTS: set(), EVALUATIONS: set()}
    for key in keys:
        named.get(kind_of(key), set()).add(key)
    versions = AdapterVersion.objects.filter(package_key__in=named[ADAPTERS]).order_by("-created_at")
    found = dict(versions.values_list("package_key", "adapter__name"))
    # A run's checkpoints are in the folder of the job that wrote them first.
    runs = _by_id(named[CHECKPOINTS])
    of_runs = TrainingRun.objects.filter(job__in=set(runs.values())).values_list("job", "adapter__name")
    asked = _by_id(named[EVALUATIONS])
    about = EvaluationRun.objects.filter(id__in=set(asked.values())).exclude(version=None)
    names = {**dict(of_runs), **dict(about.values_list("id", "version__adapter__name"))}
    return {**found, **{key: names[one] for key, one in {**runs, **asked}.items() if one in names}}


def _by_id(keys: Iterable[str]) -> dict[str, UUID]:
    found = {}
    for key in keys:
        try:
            found[key] = UUID(key.split("/")[3])
        except (ValueError, IndexError):
            continue
    return found
