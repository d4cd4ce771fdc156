"""JSON that some parsers take and others fail on is a 400 in OpenAI's shape, wherever it stands."""

from pathlib import Path

import httpx
import pytest

from lorakit.contracts import InvocationRecord
from serving.models import Endpoint
from tenants.models import Tenant
from tests.serving.gateway.gateway_client import new_line

STRANGE = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "1e999": b"1e999",
    "-1e999": b"[-1e999]",
    "5,000 digits": b"9" * 5000,
    "high surrogate": b'"\\ud800"',
    "low surrogate": b'"x\\udc00"',
    "surrogates the wrong way round": b'"\\udc00\\ud800"',
    "surrogate in a key": b'{"\\ud800": 1}',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "65 lists": b"[" * 65 + b"]" * 65,
    "960 lists": b"[" * 960 + b"]" * 960,
    "960 objects": b'{"a":' * 960 + b"1" + b"}" * 960,
    "many lists": b"[" + b"[]," * 100_000 + b"[]]",
}
PLACES = {
    "model": b'{"model": %s, "messages": [{"role": "user", "content": "x"}]}',
    "content": b'{"model": "tiny-llama", "messages": [{"role": "user", "content": %s}]}',
    "further": b'{"model": "tiny-llama", "messages": [{"role": "user", "content": "x"}], "metadata": %s}',
    "temperature": b'{"model": "tiny-llama", "messages": [{"role": "user", "content": "x"}], "temperature": %s}',
    "stream_options": b'{"model": "tiny-llama", "stream": true, "stream_options": {"x": %s}, "messages": []}',
}


@pytest.mark.django_db(transaction=True)
def test_strange_json_is_a_400(gateway: str, tenant: Tenant, endpoint: Endpoint, tmp_path: Path) -> None:
    with httpx.Client(trust_env=False, headers={"authorization": f"Bearer {new_line(tenant).token}"}) as client:
        for place, body in PLACES.items():
            for name, value in STRANGE.items():
                for path in ("chat/completions", "completions"):
                    answer = client.post(f"{gateway}/v1/{path}", content=body % value)
                    assert answer.status_code == 400, (place, name)
                    error = answer.json()["error"]
                    assert error["code"] == "invalid_json", (place, name)
                    assert error["type"] == "invalid_request_error"
                    assert set(error) == {"message", "type", "param", "code"}
    [file] = (tmp_path / "ledger").iterdir()
    records = [InvocationRecord.from_json(line) for line in file.read_bytes().splitlines()]
    assert [record.status for record in records] == [400] * (2 * len(PLACES) * len(STRANGE))


@pytest.mark.django_db(transaction=True)
def test_64_levels_are_answered(gateway: str, tenant: Tenant, endpoint: Endpoint) -> None:
    headers = {"authorization": f"Bearer {new_line(tenant).token}"}
    body = PLACES["further"] % (b"[" * 63 + b"]" * 63)
    answer = httpx.post(f"{gateway}/v1/chat/completions", content=body, headers=headers, timeout=60, trust_env=False)
    assert answer.status_code == 200
