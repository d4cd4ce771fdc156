"""One engine over HTTP: what it holds, and what is loaded and unloaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from serving.backends.errors import EndpointError
from serving.backends.residency import Residency, read_residency
from serving.backends.target import OpenAITarget
from serving.backends.tls import trusted

UNREACHABLE = "platform:endpoint_unreachable"


@dataclass(frozen=True)
class Listing:
    """The base model that a server is of, and the names of its adapters."""

    base: str
    adapters: frozenset[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Server:
    """`url` has no slash at its end. Every method but `target` raises EndpointError, UNREACHABLE if it is away."""

    url: str
    headers: Mapping[str, str]
    timeout: httpx.Timeout

    def load(self, name: str, folder: Path) -> None:
        """Load the adapter that is unpacked in the folder; one of that name is left alone."""
        answer = self._call("POST", "/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(folder)})
        # vLLM answers 400 for a name that is loaded; ours stand for one content, so that is what was asked for.
        if answer.is_success or (answer.status_code == 400 and name in self.listing().adapters):
            return
        raise _refusal(answer, f"The endpoint rejected the adapter: {_message(answer)}")

    def pin(self, name: str, folder: Path, *, is_pinned: bool) -> None:
        """Load it into a slot at once and keep it there, or let it take turns again."""
        if self._placed(name, folder, is_pinned=is_pinned):
            return
        # LMI changes nothing of what is loaded. The gateway holds its requests until it is there again.
        self.unload(name)
        if not self._placed(name, folder, is_pinned=is_pinned):
            raise EndpointError("deployment:cannot_pin", "This endpoint can’t pin adapters.", temporary=False)

    def residency(self) -> Residency | None:
        """Where its adapters are; None if it doesn't say."""
        answer = self._call("GET", "/metrics")
        if answer.status_code == 404:
            return None
        if not answer.is_success:
            raise _refusal(answer, f"The endpoint did not show its metrics: {_message(answer)}")
        return read_residency(answer.text)

    def unload(self, name: str) -> None:
        """Unload it, if it is there."""
        answer = self._call("POST", "/v1/unload_lora_adapter", {"lora_name": name})
        if not answer.is_success and answer.status_code != 404 and name in self.listing().adapters:
            raise _refusal(answer, f"The endpoint did not unload the adapter: {_message(answer)}")

    def listing(self) -> Listing:
        """What it holds."""
        answer = self._call("GET", "/v1/models")
        if not answer.is_success:
            raise _refusal(answer, f"The endpoint did not list its models: {_message(answer)}")
        try:
            models: list[dict[str, Any]] = answer.json()["data"]
            # Only an adapter has a parent: the base that it sits on.
            base = next((model["id"] for model in models if not model.get("parent")), "")
            return Listing(base, frozenset(model["id"] for model in models if model.get("parent")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EndpointError("deployment:refused", "It returns errors.", temporary=True) from error

    def target(self, model: str) -> OpenAITarget:
        """Where its requests go."""
        return OpenAITarget(url=f"{self.url}/v1", model=model, headers=dict(self.headers))

    def _placed(self, name: str, folder: Path, *, is_pinned: bool) -> bool:
        """Whether it is there as it should be, after asking for that."""
        adapter: dict[str, str | bool] = {"lora_name": name, "lora_path": str(folder)}
        answer = self._call("POST", "/v1/load_lora_adapter", adapter | {"preload": is_pinned, "pin": is_pinned})
        if _code(answer) == "no_free_slot":
            text = "Every other slot has a pinned adapter. Unpin one first."
            raise EndpointError("deployment:no_free_slot", text, temporary=False)
        found = self.residency()
        if found is None:
            raise EndpointError("deployment:cannot_pin", "This endpoint can’t pin adapters.", temporary=False)
        if name in found.adapters:
            return found.adapters[name].is_pinned == is_pinned
        if not answer.is_success and name not in self.listing().adapters:
            raise _refusal(answer, f"The endpoint rejected the adapter: {_message(answer)}")
        return not is_pinned

    def _call(self, method: str, path: str, body: Mapping[str, str | bool] | None = None) -> httpx.Response:
        try:
            return httpx.request(
                method,
                f"{self.url}{path}",
                json=None if body is None else dict(body),
                headers=dict(self.headers),
                timeout=self.timeout,
                verify=trusted(),
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise EndpointError(UNREACHABLE, "The endpoint is not responding.", temporary=True) from error


def _refusal(answer: httpx.Response, text: str) -> EndpointError:
    temporary = answer.status_code >= 500 or answer.status_code in (408, 429)
    return EndpointError("deployment:refused", text, temporary=temporary)


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return answer.text[:500] or f"status {answer.status_code}"
