"""The documents of an evidence pack: what was decided, on which artefacts, by which rubric."""

from typing import Any

from evaluations.gates.evidence import judging_of, roles_of
from evaluations.models import Decision, EvaluatedModel
from lorakit.gates.case import Case
from lorakit.verify.packed import head_of

README = """\
This is the evidence of one decision about a version of an adapter. Check it without the site:

    python -m lorakit.verify FILE.zip --key KEY

KEY is the site's public key (/api/v1/signing-key/). Nothing is sent anywhere.

decision.json       what was decided, by whom, and what the verdict depends on
policy.json         the conditions
verdict.json        what each condition came to
artefacts.json      hashes of data, base, adapters; training and evaluation settings
rubric.json         what answers were graded by
rows.jsonl.gz       prompts, expected answers, answers, scores, the judge's grades
reviews.jsonl.gz    experts' reviews in the order in which they count; experts have pseudonyms
manifest.json       SHA-256 of each of these, versions of libraries, the public key
manifest.sig        Ed25519 signature of manifest.json
"""


def decision_document(decision: Decision, case: Case) -> dict[str, Any]:
    """What was decided; `case` is everything that the verdict depends on but rows and reviews."""
    return {
        "title": str(decision),
        "id": str(decision.id),
        "adapter": decision.version.adapter.name,
        "version": decision.version.number,
        "against": decision.against.number if decision.against else None,
        "evaluation": str(decision.run_id),
        "policy": decision.policy.number if decision.policy else None,
        "opened_at": decision.created_at.isoformat(),
        "opened_by": str(decision.created_by) if decision.created_by else None,
        "state": decision.state,
        "reason": decision.reason,
        "closed_at": decision.closed_at.isoformat() if decision.closed_at else None,
        "closed_by": str(decision.closed_by) if decision.closed_by else None,
        "trained_by": str(trainer) if (trainer := decision.version.run.created_by) else None,
        "approvals": [
            {"person": str(one.person), "comment": one.comment, "at": one.created_at.isoformat()}
            for one in decision.approvals.all()
        ],
        "leaked_rows": decision.leaked,
        "case": head_of(case),
    }


def artefacts_of(decision: Decision) -> dict[str, Any]:
    """Hashes of everything that made the answers."""
    training = decision.version.run
    roles = roles_of(decision)
    return {
        "models": {
            roles[model.id]: {"name": model.name, "kind": model.kind, "sha256": model.sha256}
            for model in EvaluatedModel.objects.filter(id__in=list(roles))
        },
        "adapter": {
            "package_sha256": decision.version.package_sha256,
            "rank": decision.version.rank,
            "base_model": decision.version.adapter.base_model.name,
            "base_sha256": decision.version.adapter.base_model.sha256,
        },
        "training": {
            "recipe": training.recipe,
            "hyperparameters": training.hyperparameters,
            "data": _data(training.dataset_version),
        },
        "evaluation": {
            "data": _data(decision.run.dataset_version),
            "rows_wanted": decision.run.rows_wanted,
            "answer_tokens": decision.run.answer_tokens,
        },
    }


def _data(version: Any) -> dict[str, Any]:
    return {
        "dataset": version.dataset.name,
        "version": version.number,
        "file_sha256": version.upload_sha256,
        "rows_sha256": version.rows_sha256,
        "train_rows": version.train_count,
        "test_rows": version.test_count,
    }


def rubric_of(decision: Decision) -> dict[str, Any]:
    """The judging's judges and rubric; empty where nothing was judged."""
    judging = judging_of(decision)
    if judging is None:
        return {}
    rubric = judging.rubric_version
    return {
        "judges": judging.judges,
        "is_llm": judging.is_llm,
        "rubric": {"name": rubric.rubric.name, "version": rubric.number, "sha256": rubric.sha256,
                   "document": rubric.document} if rubric else None,
    }  # fmt: skip
