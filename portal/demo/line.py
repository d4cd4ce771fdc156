"""The demo of one tenant from end to end: dataset, two versions, evaluation, promotion, answer, cost, verdict."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings

from portal.demo.canary import Gateway, promote_with_canary
from portal.demo.cast import DemoTenant
from portal.demo.client import DemoError, ExpertClient, PortalClient, answer, wait_for_job
from portal.demo.deciding import ANY, USUAL, WITH_EXPERTS, Decided, decide, set_policy

JUDGE = "shared"
"""The alias of the judge that `JUDGE_MODEL` sets up."""
Tell = Callable[[str, str, float | None], None]
"""Called with (tenant's name, current stage, fraction done from 0 to 1)."""


@dataclass(frozen=True)
class Site:
    """The site's addresses, the password to sign in with, and the name of the base model that is trained on;
    `with_canary`, whether version 2 goes live by one."""

    web_url: str
    gateway_url: str
    password: str
    base_model: str
    with_canary: bool = False


def run_line(demo: DemoTenant, site: Site, api_key: str, tell: Tell, *, required_gain: float) -> dict[str, Any]:
    """Run all stages for one tenant and return its row of the report. Raises DemoError if a stage fails."""

    def following(stage: str) -> Callable[[dict[str, Any]], None]:
        return lambda job: tell(demo.name, f"{stage}: {job['phase'] or job['state']}", job["fraction"])

    with PortalClient(site.web_url, api_key) as client:
        tell(demo.name, "uploading the dataset", None)
        version = _upload(client, demo, following("checking the dataset"))
        base = site.base_model
        first, _ = _train(client, demo, version, following("training v1"), epochs=demo.first_epochs, base_model=base)
        adapter_version, training = _train(
            client, demo, version, following("training v2"), epochs=demo.epochs, base_model=base
        )
        # It began by itself when v2 was trained.
        (evaluation,) = client.get("evaluations/", version=adapter_version["id"])["results"]
        evaluating = wait_for_job(client, evaluation["job"]["id"], following("evaluating"))
        if JUDGE in settings.JUDGES:
            body = {"evaluation": evaluation["id"], "judges": [f"shared:{JUDGE}"]}
            wait_for_job(client, client.post("judgings/", json=body)["job"]["id"], following("judging"))
        evaluation = client.get(f"evaluations/{evaluation['id']}/")
        items = [_compared(item, evaluation["about"]) for item in client.all(f"evaluations/{evaluation['id']}/items/")]
        item = _well_answered(items, measured_slice(evaluation["summary"]))
        canary = ""
        with ExpertClient(site.web_url, demo.admin, site.password) as admin:
            adapter = client.get(f"adapter-versions/{adapter_version['id']}/")["adapter"]
            if site.with_canary:
                body = {"version": first["id"], "dataset_version": version["id"]}
                wait_for_job(client, client.post("evaluations/", json=body)["job"]["id"], following("evaluating v1"))
                set_policy(admin, adapter, ANY)
                _promote(client, first, following("promoting v1"))
                set_policy(admin, adapter, USUAL)
                gateway = Gateway(url=site.gateway_url, api_key=api_key, alias=demo.adapter, messages=item["messages"])
                canary = promote_with_canary(client, gateway, first=first, second=adapter_version, follow=following)
            else:
                set_policy(admin, adapter, USUAL)
                _promote(client, adapter_version, following("promoting"))
            set_policy(admin, adapter, WITH_EXPERTS)
        tell(demo.name, "asking the gateway", None)
        asked_before = _requests(client)
        answers = {name: _ask(site, api_key, model, item) for name, model in
                   (("base", base), ("adapter", demo.adapter))}  # fmt: skip
        cost = _cost(client, requests=asked_before + len(answers))
        tell(demo.name, "reviewing as an expert", None)
        with ExpertClient(site.web_url, demo.expert, site.password) as expert:
            decided = decide(client, expert, version=adapter_version["id"], evaluation=evaluation["id"])
    return tenant_report(
        demo,
        version=version,
        training=training,
        evaluating=evaluating,
        evaluation=evaluation,
        first=first,
        item=item,
        answers=answers,
        decided=decided,
        canary=canary,
        cost=cost,
        required_gain=required_gain,
    )


def measured_slice(summary: Mapping[str, Any]) -> str:
    """The slice of held-out rows on which the gain is measured: known wordings, or all if none are marked."""
    return "seen" if "seen" in summary else "all"


def _well_answered(items: list[dict[str, Any]], part: str) -> dict[str, Any]:
    """The first row of a slice that the adapter answered as expected. Raises DemoError if there is none."""
    found = next((item for item in items if item["slice"] == part and item["own"]["is_right"]), None)
    if found is None:
        raise DemoError("The adapter answered no held-out row as expected.")
    return found


def _train(
    client: PortalClient,
    demo: DemoTenant,
    dataset_version: dict[str, Any],
    on_progress: Callable[[dict[str, Any]], None],
    *,
    epochs: float,
    base_model: str,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train the next version; returns it and the job. One with all epochs is evaluated as soon as it is trained."""
    run = client.post(
        "training-runs/",
        json={
            "adapter": demo.adapter,
            "dataset_version": dataset_version["id"],
            "recipe": demo.recipe,
            "base_model": base_model,
            "overrides": {**demo.overrides, "epochs": epochs},
            "evaluate": epochs == demo.epochs,
        },
    )
    job = wait_for_job(client, run["job"]["id"], on_progress)
    version: dict[str, Any] = client.get(f"training-runs/{run['id']}/")["version"]
    return version, job


def _promote(client: PortalClient, version: dict[str, Any], on_progress: Callable[[dict[str, Any]], None]) -> None:
    promotion = client.post("promotions/", json={"version": version["id"]})
    wait_for_job(client, promotion["job"]["id"], on_progress)


def _upload(client: PortalClient, demo: DemoTenant, on_progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Upload the tenant's rows, unless an earlier demo on the same site already did."""
    for known in client.all("datasets/"):
        if known["name"] == demo.dataset and known["version"]["state"] == "ready":
            return dict(known["version"])
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in demo.rows()).encode()
    files = {"file": (f"{demo.adapter}.jsonl", content, "application/jsonl")}
    version = client.post("datasets/", data={"name": demo.dataset}, files=files)["version"]
    wait_for_job(client, version["job"]["id"], on_progress)
    ready: dict[str, Any] = client.get(f"dataset-versions/{version['id']}/")
    if ready["state"] != "ready":
        raise DemoError(f"The dataset was rejected: {ready['problems']}")
    return ready


def _compared(item: dict[str, Any], own: str) -> dict[str, Any]:
    """The row with the answer of the evaluated version, whose key is `own`, as `own`."""
    return {**item, "own": next(answer for answer in item["answers"] if answer["model"] == own)}


def _ask(site: Site, api_key: str, model: str, item: dict[str, Any]) -> str:
    """The gateway's live answer. It needs its own client, because the gateway has its own address and API."""
    body = {"model": model, "messages": item["messages"], "max_tokens": 64, "temperature": 0}
    headers = {"Authorization": f"Bearer {api_key}"}
    response = httpx.post(f"{site.gateway_url}/v1/chat/completions", json=body, headers=headers, timeout=60)
    text: str = answer(response)["choices"][0]["message"]["content"]
    return text


def _requests(client: PortalClient) -> int:
    return int(client.get("usage/")["total"]["requests"])


def _cost(client: PortalClient, *, requests: int) -> float:
    """The tenant's total cost of the last day in USD, once the gateway's `requests` are accounted for."""
    deadline = time.monotonic() + 30
    while _requests(client) < requests:
        if time.monotonic() > deadline:
            raise DemoError("The gateway's requests did not reach the usage page within 30 s.")
        time.sleep(0.5)
    return float(client.get("usage/")["total_usd"])


def tenant_report(
    demo: DemoTenant,
    *,
    version: dict[str, Any],
    training: dict[str, Any],
    evaluating: dict[str, Any],
    evaluation: dict[str, Any],
    first: dict[str, Any],
    item: dict[str, Any],
    answers: dict[str, str],
    decided: Decided,
    canary: str,
    cost: float,
    required_gain: float,
) -> dict[str, Any]:
    """One tenant's row of the report. The gain is measured on the rows of `measured_slice`."""
    summary, own, before = evaluation["summary"], evaluation["about"], f"v{first['number']}"
    part = measured_slice(summary)
    base, earlier, adapter = (summary[part]["figures"][key] for key in ("base", before, own))
    unseen = summary["unseen"]["figures"][own] if "unseen" in summary else None
    judging = evaluation["judgings"][0]
    gain = adapter["exact_match"] - base["exact_match"]
    return {
        "tenant": demo.name,
        "adapter": demo.adapter,
        "rows": version["row_count"],
        "train_seconds": round(training["billable_seconds"], 1),
        "evaluation_seconds": round(evaluating["billable_seconds"], 1),
        "exact_match_base": base["exact_match"],
        "exact_match_first": earlier["exact_match"],
        "exact_match_adapter": adapter["exact_match"],
        "exact_match_gain": round(gain, 4),
        "rouge_l_base": base["rouge_l"],
        "rouge_l_adapter": adapter["rouge_l"],
        **({"exact_match_unseen": unseen["exact_match"], "rouge_l_unseen": unseen["rouge_l"]} if unseen else {}),
        "judge_score": judging["summary"][part]["figures"][own],
        "judge": judging["name"] if judging["is_llm"] else "",
        "expert_grade": sum(decided.grades) / len(decided.grades),
        "verdict": decided.verdict,
        "pack": decided.pack,
        "canary": canary,
        "prompt": item["messages"][-1]["content"],
        "reference": item["reference"],
        "answer_base": answers["base"],
        "answer_adapter": answers["adapter"],
        "cost_usd": round(cost, 6),
        "gain_is_real": gain >= required_gain and answers["adapter"].strip() == item["reference"].strip(),
    }
