"""A judge on Amazon Bedrock, by its Converse operation.

The verdict comes as the input of a tool that the model is made to call. Models that cannot be made to call a tool are
asked for JSON in their text. Source: Bedrock API reference, Converse.
"""

from functools import cached_property
from typing import Any, ClassVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, NoCredentialsError, ReadTimeoutError
from botocore.session import Session
from botocore.tokens import FrozenAuthToken

from evaluations.judges.backends.errors import (
    CutOff,
    JudgeError,
    Malformed,
    Refused,
    Rejected,
    Throttled,
    TimedOut,
    Unauthorised,
    Unavailable,
)
from evaluations.judges.backends.replies import checked, parsed
from evaluations.judges.backends.sampling import Reply, SamplingJudge
from evaluations.judges.backends.usage import Usage
from evaluations.judges.prompts import Prompt

TOOL = "verdict"
SHOWN = 300

OPTIONAL = {"tool": ("tool",), "temperature": ("temperature",)}
"""What a model may refuse, by the words of the ValidationException with which it does."""

REFUSED = {"guardrail_intervened", "content_filtered"}
CUT_OFF = {"max_tokens", "model_context_window_exceeded"}

ERRORS: dict[str, type[JudgeError]] = {
    "ThrottlingException": Throttled,
    "ModelNotReadyException": Throttled,
    "ServiceQuotaExceededException": Throttled,
    "ModelTimeoutException": TimedOut,
    "ServiceUnavailableException": Unavailable,
    "InternalServerException": Unavailable,
    "ModelErrorException": Unavailable,
    "AccessDeniedException": Unauthorised,
    "UnrecognizedClientException": Unauthorised,
    "InvalidSignatureException": Unauthorised,
    "ExpiredTokenException": Unauthorised,
}


class BedrockJudge(SamplingJudge):
    """`API_KEY` is a Bedrock API key; without one, the site's own AWS credentials sign the requests."""

    options: ClassVar[dict[str, Any]] = {
        **SamplingJudge.options,
        "REGION": "",
        "API_KEY": "",
        "GUARDRAIL_ID": "",
        "GUARDRAIL_VERSION": "",
        "ENDPOINT_URL": "",
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        if not self.settings["REGION"]:
            raise ValueError(f"JUDGES[{alias!r}] names no REGION")
        # What the model has refused so far. Threads may add to it at once; a lost addition is only asked again.
        self._refused: frozenset[str] = frozenset()

    @property
    def priced_as(self) -> tuple[str, str] | None:
        return self.settings["MODEL"], self.settings["REGION"]

    def reply(self, prompt: Prompt) -> Reply:
        for _ in OPTIONAL:
            try:
                return self._read(self._converse(prompt), prompt)
            except ClientError as error:
                refused = self._newly_refused(error)
                if refused is None:
                    raise self._failure(error) from None
                self._refused |= {refused}
        try:
            return self._read(self._converse(prompt), prompt)
        except ClientError as error:
            raise self._failure(error) from None

    def request(self, prompt: Prompt) -> dict[str, Any]:
        """The request, without what the model refused before."""
        inference: dict[str, Any] = {"maxTokens": self.settings["MAX_TOKENS"]}
        if "temperature" not in self._refused:
            inference["temperature"] = float(self.settings["TEMPERATURE"])
        request: dict[str, Any] = {
            "modelId": self.settings["MODEL"],
            "system": [{"text": prompt.system}],
            "messages": [{"role": "user", "content": [{"text": prompt.user}]}],
            "inferenceConfig": inference,
        }
        if "tool" not in self._refused:
            tool = {
                "name": TOOL,
                "description": "Record the verdict.",
                "inputSchema": {"json": prompt.schema},
            }
            request["toolConfig"] = {"tools": [{"toolSpec": tool}], "toolChoice": {"tool": {"name": TOOL}}}
        if self.settings["GUARDRAIL_ID"]:
            request["guardrailConfig"] = {
                "guardrailIdentifier": self.settings["GUARDRAIL_ID"],
                "guardrailVersion": self.settings["GUARDRAIL_VERSION"] or "DRAFT",
            }
        return request

    def _converse(self, prompt: Prompt) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._client.converse(**self.request(prompt))
        except (ReadTimeoutError, ConnectTimeoutError):
            raise TimedOut(f"The judge did not reply within {self.settings['TIMEOUT_SECONDS']:g} seconds.") from None
        except NoCredentialsError:
            raise Unauthorised("This judge has no AWS credentials.") from None
        except BotoCoreError:
            # Its text may name the endpoint of a site's own network.
            raise Unavailable("Bedrock cannot be reached.") from None
        return answer

    @cached_property
    def _client(self) -> Any:
        seconds, key = self.settings["TIMEOUT_SECONDS"], self.settings["API_KEY"]
        config = Config(
            connect_timeout=5,
            read_timeout=seconds,
            # Attempts are counted, paced and paid for by whoever asks.
            retries={"mode": "standard", "total_max_attempts": 1},
            signature_version="bearer" if key else None,
            max_pool_connections=32,
        )
        session = Session()
        if key:
            session.register_component("token_provider", _KeyProvider(key))
        maker = boto3.session.Session(botocore_session=session, region_name=self.settings["REGION"])
        return maker.client("bedrock-runtime", config=config, endpoint_url=self.settings["ENDPOINT_URL"] or None)

    def _read(self, answer: dict[str, Any], prompt: Prompt) -> Reply:
        reported = answer.get("usage", {})
        usage = Usage(tokens_in=reported.get("inputTokens"), tokens_out=reported.get("outputTokens"))
        reason = answer["stopReason"]
        if reason in REFUSED:
            raise Refused("A guardrail or content filter of Bedrock declined to grade.", usage=usage)
        if reason in CUT_OFF:
            raise CutOff("The judge’s reply was cut off. Allow it more tokens.", usage=usage)
        blocks = answer.get("output", {}).get("message", {}).get("content", [])
        raw = "\n".join(str(block["text"]) for block in blocks if "text" in block)
        if reason not in ("tool_use", "end_turn"):
            raise Malformed(f"The judge’s model ended without a verdict ({reason}).", usage=usage, raw=raw)
        calls = [block["toolUse"] for block in blocks if "toolUse" in block]
        try:
            if calls:
                raw = str(calls[0].get("input"))
                if len(calls) > 1 or calls[0].get("name") != TOOL:
                    raise Malformed("The judge’s model did not give one verdict.", raw=raw)
                return Reply(parsed=checked(calls[0].get("input"), prompt, raw=raw), raw=raw, usage=usage)
            return Reply(parsed=parsed(raw, prompt), raw=raw, usage=usage)
        except JudgeError as error:
            error.usage = usage
            raise

    def _newly_refused(self, error: ClientError) -> str | None:
        details = error.response["Error"]
        if details["Code"] != "ValidationException":
            return None
        text = details["Message"].lower()
        for part, words in OPTIONAL.items():
            if part not in self._refused and any(word in text for word in words):
                return part
        return None

    def _failure(self, error: ClientError) -> JudgeError:
        code, said = error.response["Error"]["Code"], error.response["Error"]["Message"]
        kind = ERRORS.get(code)
        if kind is Unauthorised:
            return Unauthorised("AWS refused the secret, or it may not use this model in this region.")
        if kind is not None:
            return kind(f"Bedrock returned {code}.")
        if "too long" in said.lower():
            return CutOff("The prompt is longer than the judge’s model allows.")
        return Rejected(f"Bedrock refused the request ({code}): {said[:SHOWN]}")


class _KeyProvider:
    """Gives botocore the judge's own key, and never the environment's."""

    def __init__(self, key: str) -> None:
        self._token = FrozenAuthToken(key)

    def load_token(self, **_: Any) -> FrozenAuthToken:
        return self._token
