"""An engine with vLLM's adapter endpoints: vLLM itself, or `python -m lorakit.serve`.

The engine reads adapters from a folder that it shares with the portal: ADAPTER_DIR holds each package unpacked, under
the hash of its content.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any, ClassVar

import httpx

from lorakit.digest import file_sha256
from lorakit.errors import PackageError
from lorakit.package import unpack
from serving.backends.base import PRICE, Description, EndpointBackend, Health, Option, Package, Status
from serving.backends.errors import EndpointError
from serving.backends.target import OpenAITarget
from serving.backends.tls import trusted
from storage.objects import CHUNK_BYTES, open_object

TIDY_AFTER_SECONDS = 3600
_SHA256 = re.compile(r"[0-9a-f]{64}")


class VllmEndpoint(EndpointBackend):
    """Options: URL (of the engine, without /v1), API_KEY, ADAPTER_DIR, TIMEOUT_SECONDS (of one call)."""

    title = "vLLM, or the engine of this site"
    own = (
        Option(name="URL", title="Address", help="Of the engine, without /v1, such as http://10.0.0.7:8000."),
        Option(name="MAX_RANK", title="Highest rank", help="What the engine was started with."),
        *PRICE,
    )
    options: ClassVar[dict[str, Any]] = {
        **EndpointBackend.options,
        "URL": "",
        "API_KEY": "",
        "ADAPTER_DIR": "",
        "TIMEOUT_SECONDS": 10.0,
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        merged = {**self.options, **options}
        if not merged["URL"] or not merged["ADAPTER_DIR"]:
            raise ValueError(f"ENDPOINTS[{alias!r}] needs the options URL and ADAPTER_DIR")
        self.url = str(merged["URL"]).rstrip("/")
        self.headers = {"Authorization": f"Bearer {merged['API_KEY']}"} if merged["API_KEY"] else {}
        self.folder = Path(merged["ADAPTER_DIR"])
        self.timeout = httpx.Timeout(float(merged["TIMEOUT_SECONDS"]), connect=2.0)

    @classmethod
    def apart(cls, name: str, base_model: str, options: Mapping[str, Any]) -> dict[str, Any]:
        # Within the folder that the alias's engine reads, which may be all that the machines share.
        return {"ADAPTER_DIR": str(Path(options["ADAPTER_DIR"]) / name)}

    def deploy(self, name: str, package: Package) -> None:
        folder = self._unpacked(package)
        answer = self._call("POST", "/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(folder)})
        # vLLM answers 400 for a name that is loaded; ours stand for one content, so that is what was asked for.
        if answer.is_success or (answer.status_code == 400 and name in self.list()):
            return
        raise _refusal(answer, f"The endpoint rejected the adapter: {_message(answer)}")

    def describe(self, name: str) -> Description:
        return Description(status=Status.IN_SERVICE if name in self.list() else Status.MISSING)

    def delete(self, name: str) -> None:
        answer = self._call("POST", "/v1/unload_lora_adapter", {"lora_name": name})
        if not answer.is_success and answer.status_code != 404 and name in self.list():
            raise _refusal(answer, f"The endpoint did not unload the adapter: {_message(answer)}")

    def list(self) -> Mapping[str, Status]:
        answer = self._call("GET", "/v1/models")
        if not answer.is_success:
            raise _refusal(answer, f"The endpoint did not list its models: {_message(answer)}")
        # Only an adapter has a parent: the base that it sits on.
        return {model["id"]: Status.IN_SERVICE for model in answer.json()["data"] if model.get("parent")}

    def target(self, model: str) -> OpenAITarget:
        return OpenAITarget(url=f"{self.url}/v1", model=model, headers=dict(self.headers))

    def health(self) -> Health:
        try:
            answer = self._call("GET", "/v1/models")
            models = answer.raise_for_status().json()["data"]
        except (EndpointError, httpx.HTTPError, ValueError, KeyError) as error:
            return Health(ok=False, text=error.text if isinstance(error, EndpointError) else "It returns errors.")
        base = next((model["id"] for model in models if not model.get("parent")), "")
        return Health(ok=True, base=base, adapters=sum(1 for model in models if model.get("parent")))

    def tidy(self, keep: Set[str]) -> None:
        if not self.folder.exists():
            return
        for path in self.folder.iterdir():
            # A young one may belong to a promotion that has not written its row where we have read it. Folders with
            # other names are those of other endpoints.
            is_unused = _SHA256.fullmatch(path.name) and path.name not in keep
            if is_unused and time.time() - path.stat().st_mtime > TIDY_AFTER_SECONDS:
                shutil.rmtree(path, ignore_errors=True)

    def _unpacked(self, package: Package) -> Path:
        folder = self.folder / package.sha256
        if folder.exists():
            folder.touch()
            return folder
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=f"{package.sha256}-", suffix=".tar.gz") as copy:
            try:
                with open_object(package.key) as source:
                    shutil.copyfileobj(source, copy, CHUNK_BYTES)
            except FileNotFoundError:
                raise EndpointError(
                    "deployment:package_missing", "The version’s package is missing from storage.", temporary=False
                ) from None
            copy.flush()
            if file_sha256(Path(copy.name)) != package.sha256:
                raise EndpointError(
                    "deployment:package_changed",
                    "The package in storage differs from the one that was trained. Train the version again.",
                    temporary=False,
                )
            try:
                unpack(Path(copy.name), folder)
            except PackageError as error:
                raise EndpointError("deployment:bad_package", error.text, temporary=False) from error
        return folder

    def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> httpx.Response:
        try:
            return httpx.request(
                method,
                f"{self.url}{path}",
                json=body,
                headers=self.headers,
                timeout=self.timeout,
                verify=trusted(),
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise EndpointError(
                "platform:endpoint_unreachable", "The endpoint is not responding.", temporary=True
            ) from error


def _refusal(answer: httpx.Response, text: str) -> EndpointError:
    temporary = answer.status_code >= 500 or answer.status_code in (408, 429)
    return EndpointError("deployment:refused", text, temporary=temporary)


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return answer.text[:500] or f"status {answer.status_code}"
