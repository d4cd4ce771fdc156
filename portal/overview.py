"""The content of the overview page."""

from dataclasses import dataclass

from adapters.models import Adapter, AdapterVersion
from corpora.models import Dataset
from evaluations.models import EvaluationRun, EvaluationState, Review
from evaluations.reviews.queries import open_reviews
from evaluations.runs.queries import latest_ready_runs
from evaluations.runs.report import SliceReport, headline
from jobs.models import Job
from metering.alerts.queries import unhandled_alerts
from serving.models import Route

JOBS_SHOWN, ROUTES_SHOWN, EVALUATIONS_SHOWN = 6, 10, 5


@dataclass(frozen=True)
class Step:
    """A step from dataset to live adapter, and whether the tenant has done it."""

    title: str
    text: str
    url_name: str
    done: bool


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Counts, the latest jobs, evaluations and live adapters, and the next step."""

    datasets: int
    adapters: int
    versions: int
    open_reviews: int
    alerts: int
    jobs: list[Job]
    routes: list[Route]
    evaluations: list[tuple[EvaluationRun, SliceReport | None]]
    steps: list[Step]

    @property
    def next_step(self) -> Step | None:
        return next((step for step in self.steps if not step.done), None)

    @property
    def something_runs(self) -> bool:
        """Whether any job shown here may still change."""
        return any(not job.is_terminal for job in self.jobs)


def read_overview() -> Overview:
    """The overview of the active tenant."""
    datasets, versions = Dataset.objects.count(), AdapterVersion.objects.count()
    evaluations = [(run, headline(run)) for run in latest_ready_runs(EVALUATIONS_SHOWN)]
    # One about a base model comes before any training, and does not tick off a later step.
    is_evaluated = EvaluationRun.objects.filter(state=EvaluationState.READY, version__isnull=False).exists()
    live = Route.objects.exclude(active=None).select_related("active__version").order_by("-switched_at")
    routes = list(live.defer("active__version__manifest")[:ROUTES_SHOWN])
    return Overview(
        datasets=datasets,
        adapters=Adapter.objects.count(),
        versions=versions,
        open_reviews=open_reviews(),
        alerts=unhandled_alerts(),
        jobs=list(Job.objects.defer("spec", "result")[:JOBS_SHOWN]),
        routes=routes,
        evaluations=evaluations,
        steps=[
            Step(
                "Upload a dataset",
                "Prompts and the answers you want, as JSONL, CSV or Parquet.",
                "corpora:upload",
                datasets > 0,
            ),
            Step(
                "Train an adapter",
                "Choose a dataset and a recipe. We do the rest.",
                "adapters:train",
                versions > 0,
            ),
            Step(
                "Evaluate it",
                "Compare it with the base model on held-out rows. Start from a version’s page.",
                "adapters:list",
                is_evaluated,
            ),
            Step(
                "Ask an expert",
                "Grade a few answers, using only the keyboard.",
                "evaluations:reviews",
                Review.objects.exists(),
            ),
            Step(
                "Promote it",
                "Make the version live on the shared endpoint, from its page.",
                "adapters:list",
                bool(routes),
            ),
        ],
    )
