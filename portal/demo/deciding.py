"""The demo's end: a policy that asks an expert, a round of ten reviews, a verdict, and its evidence pack."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.demo.client import ExpertClient, PortalClient

REVIEWS = 10
SECONDS = 20.0
"""What a review takes, as the script says."""

USUAL: dict[str, Any] = {
    "conditions": [
        {"kind": "metric", "metric": "rouge_l", "against": "base", "needs": "better"},
        {"kind": "metric", "metric": "rouge_l", "against": "live", "needs": "not_shown_worse"},
        {"kind": "leakage"},
    ]
}
"""The default policy, by which versions are promoted without anybody's help."""

ANY: dict[str, Any] = {"conditions": [{"kind": "leakage"}]}
"""What a first version passes that was trained too briefly to be better than its base."""

WITH_EXPERTS: dict[str, Any] = {
    "conditions": [*USUAL["conditions"], {"kind": "experts", "verdict": "pass", "threshold": 0.6}]
}
OUTSIDE = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What the round and the decision came to, for the report."""

    grades: list[int]
    verdict: str
    pack: str


def set_policy(admin: ExpertClient, adapter: str, document: Mapping[str, Any]) -> None:
    """Give the adapter (its ID) a policy, as an owner does."""
    admin.post("gate-policies/", json={"adapter": adapter, "document": document})


def decide(client: PortalClient, expert: ExpertClient, *, version: str, evaluation: str) -> Decided:
    """Have an expert who knows the expected answers grade ten random ones, and open a decision about the version."""
    body = {"evaluation": evaluation, "answers": REVIEWS, "uniform_share": 1, "adversarial_share": 0}
    review_round = client.post("review-rounds/", json=body)
    grades = _review(expert, review_round["id"])
    decision = client.post("decisions/", json={"version": version, "evaluation": evaluation})
    return Decided(grades=grades, verdict=_sentence(decision["verdict"]), pack=_verified(client, decision["id"]))


def _review(expert: ExpertClient, review_round: str) -> list[int]:
    """Grade what is handed out until nothing is: 5 if it is the expected answer, otherwise 2."""
    grades: list[int] = []
    while items := expert.get(f"review-rounds/{review_round}/next/", ahead=REVIEWS)["items"]:
        for item in items:
            grade = 5 if item["answers"][0]["text"].strip() == item["expected"].strip() else 2
            expert.put(f"review-items/{item['id']}/review/", json={"grade": grade, "seconds": SECONDS})
            grades.append(grade)
    return grades


def _sentence(verdict: Mapping[str, Any]) -> str:
    experts = next(one for one in verdict["outcomes"] if one["title"].startswith("Experts"))
    more = f" {experts['why']}" if experts["why"] else ""
    return f"{verdict['state']}. Experts: {experts['shown']}, {experts['needs']} needed.{more}"


def _verified(client: PortalClient, decision: str) -> str:
    """Download the pack and check it in a process that knows neither the site nor its database."""
    name, content = client.download(f"decisions/{decision}/pack/")
    key = client.get("signing-key/")["key"]
    with tempfile.TemporaryDirectory(prefix="demo-pack-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        found = subprocess.run(
            [sys.executable, "-m", "lorakit.verify", str(path), "--key", key],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(OUTSIDE)},
            cwd=folder,
            check=False,
        )
    last = (found.stdout or found.stderr).strip().splitlines()[-1]
    return f"{name}, {len(content) / 1024:.0f} KiB. {last}"
