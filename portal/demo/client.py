"""The demo's HTTP clients, which use only the site's public interfaces, as an integration would."""

import re
import time
from typing import Any, Self

import httpx


class DemoError(Exception):
    """A stage of the demo failed; the text gives the request and the site's error."""


class PortalClient:
    """A client of the REST API with an API key."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        return answer(self._http.get(path, params=params))

    def post(self, path: str, **kwargs: Any) -> Any:
        return answer(self._http.post(path, **kwargs))

    def download(self, path: str) -> tuple[str, bytes]:
        """A file's name and content."""
        response = self._http.get(path)
        if not response.is_success:
            answer(response)
        found = re.search(r'filename="([^"]+)"', response.headers["Content-Disposition"])
        return found[1] if found else "file", response.content

    def all(self, path: str, **params: Any) -> list[Any]:
        """Every row of a list, page by page."""
        page = self.get(path, page_size=200, **params)
        rows = list(page["results"])
        while page.get("next"):
            page = answer(self._http.get(page["next"]))
            rows += page["results"]
        return rows


class ExpertClient:
    """A person's session: signs in through the form, then uses the REST API with the session cookie."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60, headers={"Referer": url})
        form = self._http.get("/sign-in/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        if token is None:
            raise DemoError("The sign-in page has no form.")
        fields = {"username": email, "password": password, "csrfmiddlewaretoken": token[1]}
        signed_in = self._http.post("/sign-in/", data=fields)
        if signed_in.status_code != 302:
            raise DemoError(f"{email} could not sign in (status {signed_in.status_code}).")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        return answer(self._http.get(f"/api/v1/{path}", params=params))

    def put(self, path: str, **kwargs: Any) -> Any:
        headers = {"X-CSRFToken": self._http.cookies["csrftoken"]}
        return answer(self._http.put(f"/api/v1/{path}", headers=headers, **kwargs))

    def post(self, path: str, **kwargs: Any) -> Any:
        headers = {"X-CSRFToken": self._http.cookies["csrftoken"]}
        return answer(self._http.post(f"/api/v1/{path}", headers=headers, **kwargs))


def answer(response: httpx.Response) -> Any:
    """The JSON of a successful response. Raises DemoError with the problem's text otherwise."""
    if response.is_success:
        return response.json()
    try:
        problem = response.json()
        text, code = problem.get("title", response.text), problem.get("code", "")
    except ValueError:
        text, code = response.text[:200], ""
    request = response.request
    raise DemoError(f"{request.method} {request.url.path} answered {response.status_code} {code}: {text}")


def wait_for_job(client: PortalClient, job_id: str, on_progress: Any, *, seconds: float = 1800) -> dict[str, Any]:
    """Wait for a job to end and return it. Calls `on_progress(job)` at every poll. Raises DemoError if it fails."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job: dict[str, Any] = client.get(f"jobs/{job_id}/")
        on_progress(job)
        if job["state"] == "succeeded":
            return job
        if job["state"] in {"failed", "stopped"}:
            raise DemoError(f"{job['title']} {job['state']}: {job['error']}")
        time.sleep(0.5)
    raise DemoError(f"Job {job_id} did not end within {seconds:.0f} s.")
