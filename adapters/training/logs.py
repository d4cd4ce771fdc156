"""The log of a run: its latest events, one per line."""

from django.utils import timezone

from jobs.models import Job, JobEvent

FIGURES = (
    ("loss", "loss {:.4f}"),
    ("eval_loss", "held-out loss {:.4f}"),
    ("learning_rate", "learning rate {:.2e}"),
    ("tokens_per_second", "{:,.0f} tokens/s"),
)


def last_lines(job: Job, count: int) -> list[str]:
    """The last `count` events as text, oldest first; they remain after the backend has deleted its own log."""
    newest = JobEvent.objects.filter(job=job).order_by("-attempt", "-seq")[:count]
    return [_line(event) for event in reversed(newest)]


def _line(event: JobEvent) -> str:
    return f"{timezone.localtime(event.at):%H:%M:%S}  {_text(event)}"


def _text(event: JobEvent) -> str:
    data = event.data
    if event.type == "phase":
        return f"phase: {data['phase']}"
    if event.type == "message":
        return str(data["text"])
    step = f"step {data['step']}" + (f" of {data['total']}" if data.get("total") else "") if "step" in data else ""
    if event.type == "checkpoint":
        return f"{step}  checkpoint saved"
    figures = [text.format(data[name]) for name, text in FIGURES if data.get(name) is not None]
    return "  ".join(part for part in (step, *figures) if part)
