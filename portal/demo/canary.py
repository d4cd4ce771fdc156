"""A canary and a rollback in the demo: version 2 answers half of the callers beside version 1, then all, then none."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from portal.demo.client import DemoError, PortalClient, wait_for_job

CANARY = {"percent": 50, "minutes": 1}
CALLERS = 12
ROLLED_BACK_SECONDS = 15.0

Follow = Callable[[str], Callable[[dict[str, Any]], None]]
"""From a stage to what is told of its job."""


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """The gateway as one program of the tenant sees it, which answers people of its own."""

    url: str
    api_key: str
    alias: str
    messages: list[dict[str, Any]]

    def version_for(self, person: str) -> str:
        """The number of the version that answers this person. Raises DemoError."""
        body = {"model": self.alias, "messages": self.messages, "max_tokens": 16, "temperature": 0, "user": person}
        headers = {"Authorization": f"Bearer {self.api_key}"}
        response = httpx.post(f"{self.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
        if not response.is_success:
            raise DemoError(f"The gateway answered {response.status_code} during the canary: {response.text[:200]}")
        return str(response.headers["x-adapter-version"])


def promote_with_canary(
    client: PortalClient, gateway: Gateway, *, first: Mapping[str, Any], second: Mapping[str, Any], follow: Follow
) -> str:
    """Promote the second version by a canary beside the first, which is live; roll back, and forward again.

    Returns what was seen, in words. Raises DemoError.
    """
    promotion = client.post("promotions/", json={"version": second["id"], "canary": CANARY})
    answered: dict[str, set[str]] = defaultdict(set)
    tell, last = follow("canary of v2"), dict[str, str]()

    def ask(job: dict[str, Any]) -> None:
        tell(job)
        if (job["state"], job["phase"]) == ("running", "trying on callers"):
            # It had not ended when the last round of questions had, so those answers are all the canary's.
            for person, version in last.items():
                answered[person].add(version)
            people = (f"person-{number}" for number in range(CALLERS))
            last.update({person: gateway.version_for(person) for person in people})

    wait_for_job(client, promotion["job"]["id"], ask)
    if fickle := [person for person, versions in answered.items() if len(versions) > 1]:
        raise DemoError(f"{fickle[0]} was answered by both versions during the canary.")
    by_second = sum(str(second["number"]) in versions for versions in answered.values())
    seconds = _roll_back(client, gateway, to=str(first["number"]))
    _roll_back(client, gateway, to=str(second["number"]))
    return (
        f"v{second['number']} answered {by_second} of {len(answered)} callers, each always by the same version, and no "
        f"harm was found. Rolled back to v{first['number']} within {seconds:.1f} s, and forward again."
    )


def _roll_back(client: PortalClient, gateway: Gateway, *, to: str) -> float:
    """Seconds until the gateway answered by the version whose number is `to`."""
    (route,) = client.get("routes/", alias=gateway.alias)["results"]
    began = time.monotonic()
    client.post(f"routes/{route['id']}/roll-back/")
    while gateway.version_for("operator") != to:
        if time.monotonic() - began > ROLLED_BACK_SECONDS:
            raise DemoError(f"The gateway did not answer by version {to} after the rollback.")
        time.sleep(0.05)
    return time.monotonic() - began
