"""Writes the signed receipt of one answer for a caller who asks for it: hashes of request and answer, and who answered.

`lorakit.verify` says what is hashed, and checks receipts.
"""

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any

from lorakit.verify.receipts import request_sha256, signed
from lorakit.verify.transcript import Transcript
from serving.gateway.body import Ask
from serving.gateway.database import Model
from serving.gateway.errors import GatewayError
from serving.gateway.record import Tally
from tenants.signing import signing_key

ENVELOPE = ("id", "object", "created", "model")


class ReceiptWriter:
    """Follows an answer, whole or event by event, and then writes its receipt. Holds its text until then.

    `told` is what the endpoint says of the package that answers, None where it says nothing. Raises GatewayError when
    that is another one than the receipt would name.
    """

    def __init__(self, ask: Ask, tally: Tally, model: Model, *, told: str | None) -> None:
        if told is not None and told != model.package_sha256:
            text = "The endpoint named another adapter than the one in service, so no receipt can be given."
            raise GatewayError(502, text, "endpoint_error")
        self._ask, self._tally, self._model = ask, tally, model
        self._transcript = Transcript()
        self._envelope: dict[str, Any] = {}

    def add(self, answer: Mapping[str, Any]) -> None:
        """Take over a whole answer or an event. Raises GatewayError for what is no answer."""
        try:
            self._transcript.add(answer)
        except ValueError:
            raise GatewayError(502, "The endpoint’s response is not an answer.", "endpoint_error") from None
        self._envelope = {name: answer[name] for name in ENVELOPE if name in answer}

    async def receipt(self) -> dict[str, Any]:
        """Signed now. Made in a thread: a long request takes longer to hash than other callers should wait."""
        return await asyncio.to_thread(self._signed)

    async def event(self) -> dict[str, Any]:
        """The receipt as the last event of a stream: one without choices, as that of usage is."""
        return {**self._envelope, "model": self._model.alias, "choices": [], "receipt": await self.receipt()}

    def _signed(self) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        content = {
            "request_id": self._tally.request_id,
            "tenant_id": str(self._tally.caller.tenant_id),
            "model": self._model.alias,
            "version_id": self._model.version_id,
            "version_number": self._model.version_number,
            "package_sha256": self._model.package_sha256,
            "base_model": None if self._model.version_id else self._model.name,
            "request_sha256": request_sha256(self._ask.document),
            "answer_sha256": self._transcript.sha256(),
            "at": now.replace("+00:00", "Z"),
        }
        return signed(content, signing_key())
