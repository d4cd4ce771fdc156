"""OpenAPI examples of judges."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from evaluations.judges.example import EXAMPLE

JUDGE = {
    "id": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11",
    "name": "GPT, strict",
    "kind": "openai",
    "model": "gpt-4.1-mini",
    "address": "https://api.openai.com/v1",
    "region": "",
    "api_version": "",
    "temperature": 0.0,
    "samples": 3,
    "price_in": "0.4000",
    "price_out": "1.6000",
    "requests_per_minute": 300,
    "is_tested_automatically": True,
    "has_secret": True,
    "secret_host": "https://api.openai.com:443",
    "version": 1,
    "fingerprint": "9f2c" * 16,
    "created_at": "2026-11-27T17:00:00Z",
    "updated_at": "2026-11-27T17:00:00Z",
}

A_JUDGE = OpenApiExample("A judge", JUDGE, response_only=True)
NEW_OPENAI = OpenApiExample(
    "A model of OpenAI",
    {
        "name": "GPT, strict",
        "kind": "openai",
        "model": "gpt-4.1-mini",
        "address": "https://api.openai.com/v1",
        "secret": "sk-…",
        "price_in": "0.4",
        "price_out": "1.6",
    },
    request_only=True,
)
NEW_BEDROCK = OpenApiExample(
    "A model on Amazon Bedrock",
    {
        "name": "Claude",
        "kind": "bedrock",
        "model": "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        "region": "eu-west-1",
        "secret": "bedrock-api-key-…",
    },
    request_only=True,
)
WARMER = OpenApiExample("Another temperature", {"temperature": 0.7}, request_only=True)
A_TRIAL = OpenApiExample(
    "A verdict",
    {
        "system": EXAMPLE.system,
        "user": EXAMPLE.user,
        "score": 2.1,
        "distribution": {"2": 0.9, "3": 0.1},
        "basis": "logprobs",
        "reason": "The notice period is 60 days instead of 30.",
        "raw": ['{"reason": "The notice period is 60 days instead of 30.", "score": 2}'],
        "error_kind": None,
        "error_text": None,
        "tokens_in": 512,
        "tokens_out": 24,
        "cost_usd": "0.0002432000",
        "latency_ms": 812.5,
    },
    response_only=True,
)
TAKEN = OpenApiResponse(OpenApiTypes.OBJECT, "`judge:name_taken` (problem+json).")
