"""AWS's Price List API with a small list of SageMaker, Bedrock and S3, as strict as AWS about the request.

Its prices are made up for tests, and dated. Beside what costs money by the hour, each instance has products that are
no price of it: asynchronous inference, a free tier, and savings plans.

Source: the service model that botocore ships, the errors in the API's reference, and the public offer files.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from standin.errors import AwsError, unknown
from standin.training_job import request_id
from standin.validation import check_request, service_model

REGIONS = frozenset({"us-east-1", "eu-central-1", "ap-south-1"})
"""Where there is such an API."""

SERVICE_CODE, BEDROCK, S3 = "AmazonSageMaker", "AmazonBedrock", "AmazonS3"
LOCATIONS = {"us-east-1": "USE1", "eu-west-1": "EUW1"}
FIELDS = frozenset(
    {"regionCode", "instanceName", "component", "usagetype", "operation", "servicecode", "productFamily", "model",
     "feature", "inferenceType", "storageClass", "volumeType"}
)  # fmt: skip
MOST_RESULTS = 100


@dataclass(frozen=True, kw_only=True)
class ListPrice:
    """Dollars per hour, as AWS writes them."""

    hosting: str
    training: str
    effective: str = "2026-08-01T00:00:00Z"


PRICES = {
    "ml.g5.xlarge": ListPrice(hosting="1.1000000000", training="1.0100000000"),
    "ml.g5.2xlarge": ListPrice(hosting="1.2000000000", training="1.0200000000"),
    "ml.g6e.xlarge": ListPrice(hosting="2.3000000000", training="2.0300000000", effective="2026-06-15T00:00:00Z"),
}


@dataclass(frozen=True, kw_only=True)
class TokenPrice:
    """Dollars per 1,000 tokens, as AWS writes them."""

    input: str
    output: str
    effective: str = "2026-07-01T00:00:00Z"


MODELS = {
    "Nova Lite": TokenPrice(input="0.0000710000", output="0.0002840000"),
    "Nova Pro": TokenPrice(input="0.0009100000", output="0.0036400000"),
}


STORAGE = {
    "TimedStorage-ByteHrs": ("0.0310000000", "0.0290000000"),
    "TimedStorage-SIA-ByteHrs": ("0.0170000000", None),
    "TimedStorage-GDA-ByteHrs": ("0.0013000000", None),
    # What is no storage class of an object of S3, or has no single price.
    "TimedStorage-INT-FA-ByteHrs": ("0.0310000000", "0.0290000000"),
    "Tables-TimedStorage-ByteHrs": ("0.0330000000", None),
}
"""By usage type, dollars per GB-month up to 51,200 GB and, where they differ, beyond."""


@dataclass
class Pricing:
    """`prices` by instance type, the same in all regions; pages hold at most `page_size` products.

    `broken` documents are cut off; `twice` lists every hosting product again at another price.
    """

    prices: dict[str, ListPrice] = field(default_factory=lambda: dict(PRICES))
    models: dict[str, TokenPrice] = field(default_factory=lambda: dict(MODELS))
    page_size: int = MOST_RESULTS
    broken: bool = False
    twice: bool = False
    requests: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def respond(self, environ: dict[str, Any]) -> Response:
        """The HTTP response to a request for this service."""
        try:
            return _json(self._answer(environ))
        except AwsError as error:
            response = _json({"__type": error.code, "Message": error.message})
            response.status_code = error.status
            return response

    def _answer(self, environ: dict[str, Any]) -> dict[str, Any]:
        operation = environ.get("HTTP_X_AMZ_TARGET", "").removeprefix("AWSPriceListService.")
        if operation not in service_model("pricing").operation_names or operation != "GetProducts":
            raise unknown(operation)
        request = json.loads(Request(environ).get_data() or b"{}")
        try:
            check_request(operation, request, service="pricing")
        except AwsError as error:
            raise _invalid(error.message) from None
        with self._lock:
            self.requests.append(request)
        return self._products(request)

    def _products(self, request: dict[str, Any]) -> dict[str, Any]:
        lists = {SERVICE_CODE: self._all, BEDROCK: self._models, S3: _storage}
        if request["ServiceCode"] not in lists:
            raise _invalid(f"Input Parameters are invalid. Service {request['ServiceCode']} not found.")
        if request.get("FormatVersion", "aws_v1") != "aws_v1":
            raise _invalid("Input Parameters are invalid. FormatVersion must be aws_v1.")
        found = [
            product for product in lists[request["ServiceCode"]]() if _matches(product, request.get("Filters", []))
        ]
        start, size = self._start(request), min(self.page_size, request.get("MaxResults", MOST_RESULTS))
        texts = [json.dumps(product) for product in found[start : start + size]]
        answer: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": ["{" if self.broken else t for t in texts]}
        if start + size < len(found):
            answer["NextToken"] = _token(request, start + size)
        return answer

    def _start(self, request: dict[str, Any]) -> int:
        """A token is of one question: it can't go on with another."""
        token = request.get("NextToken")
        if token is None:
            return 0
        start = int(token.partition(":")[0]) if re.fullmatch(r"\d+:[0-9a-f]{16}", token) else -1
        if start < 0 or _token(request, start) != token:
            raise AwsError("InvalidNextTokenException", "The pagination token is invalid.")
        return start

    def _all(self) -> Iterator[dict[str, Any]]:
        for region, prefix in LOCATIONS.items():
            for name, price in self.prices.items():
                about = {"regionCode": region, "instanceName": name, "servicecode": SERVICE_CODE}
                yield _product(about, "Hosting", f"{prefix}-Host:{name}", price.hosting, price)
                if self.twice:
                    yield _product(about, "Hosting", f"{prefix}-Host:{name}", "7.7700000000", price)
                yield _product(about, "Training", f"{prefix}-Train:{name}", price.training, price)
                yield _product(about, "AsyncInf", f"{prefix}-AsyncInf:{name}", "9.9900000000", price)
                yield _product(about, "Hosting", f"{prefix}-FreeHost:{name}", "0.0000000000", price)

    def _models(self) -> Iterator[dict[str, Any]]:
        """Of each model the price on demand of its tokens, and beside it what is another one."""
        for region, prefix in LOCATIONS.items():
            for name, tokens in self.models.items():
                bare = name.replace(" ", "")
                for kind, amount in (("input", tokens.input), ("output", tokens.output)):
                    about = {
                        "regionCode": region, "servicecode": BEDROCK, "model": name, "feature": "On-demand Inference",
                        "inferenceType": f"{kind.capitalize()} tokens",
                    }  # fmt: skip
                    usage = f"{prefix}-{bare}-{kind}-tokens"
                    yield _token_product(about, usage, amount, tokens.effective)
                    # What a fine-tuned model, a global profile and a batch cost.
                    yield _token_product(about, f"{usage}-custom-model", "0.0099000000", tokens.effective)
                    yield _token_product(about, f"{usage}-cross-region-global", "0.0098000000", tokens.effective)
                    batch = {**about, "feature": "Batch Inference"}
                    yield _token_product(batch, f"{usage}-batch", "0.0097000000", tokens.effective)


def _storage() -> Iterator[dict[str, Any]]:
    for region, prefix in LOCATIONS.items():
        for usage, (first, beyond) in STORAGE.items():
            # The oldest region's have no prefix.
            name = usage if region == "us-east-1" else f"{prefix}-{usage}"
            sku = hashlib.sha256(f"{region}{usage}".encode()).hexdigest()[:16].upper()
            term = f"{sku}.JRTCKXETXF"
            tiers = [("0", "51200", first), ("51200", "Inf", beyond)] if beyond else [("0", "Inf", first)]
            yield {
                "product": {
                    "productFamily": "Storage",
                    "attributes": {"regionCode": region, "servicecode": S3, "usagetype": name, "operation": ""},
                    "sku": sku,
                },
                "serviceCode": S3,
                "terms": {"OnDemand": {term: {
                    "sku": sku, "offerTermCode": "JRTCKXETXF", "effectiveDate": "2026-07-01T00:00:00Z",
                    "termAttributes": {},
                    "priceDimensions": {
                        f"{term}.{start}": {
                            "rateCode": f"{term}.{start}", "unit": "GB-Mo", "beginRange": start, "endRange": end,
                            "appliesTo": [], "pricePerUnit": {"USD": amount},
                        }
                        for start, end, amount in tiers
                    },
                }}},
                "version": "20260801000000",
                "publicationDate": "2026-07-01T00:00:00Z",
            }  # fmt: skip


def is_served(environ: dict[str, Any]) -> bool:
    """Whether a request is signed for a region that has this API; elsewhere nobody answers."""
    scope = re.search(r"/([a-z0-9-]+)/pricing/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
    return scope is not None and scope[1] in REGIONS


def _matches(product: dict[str, Any], filters: list[dict[str, str]]) -> bool:
    for one in filters:
        if one["Field"] not in FIELDS:
            raise _invalid(f"Input Parameters are invalid. Field {one['Field']} not found.")
        if one["Type"] not in ("TERM_MATCH", "EQUALS"):
            raise unknown(f"GetProducts with filters of type {one['Type']}")
    about = {**product["product"]["attributes"], "productFamily": product["product"]["productFamily"]}
    # AWS compares terms without regard to case.
    return all(str(about.get(one["Field"], "")).lower() == one["Value"].lower() for one in filters)


def _product(about: dict[str, str], component: str, usage: str, amount: str, price: ListPrice) -> dict[str, Any]:
    sku = hashlib.sha256(usage.encode()).hexdigest()[:16].upper()
    # The first hours of every month cost as much as the others, but are a dimension of their own.
    dimensions = {
        f"{sku}.JRTCKXETXF.{code}": {
            "rateCode": f"{sku}.JRTCKXETXF.{code}",
            "unit": "Hrs",
            "beginRange": start,
            "endRange": end,
            "description": f"Test price of the stand-in of {price.effective[:10]}",
            "appliesTo": [],
            "pricePerUnit": {"USD": of_tier},
        }
        for code, start, end, of_tier in (
            ("FIRST", "0", "125", "0.0000000000"),
            ("6YS6EN2CT7", "125", "Inf", amount),
        )
    }
    plan = {"effectiveDate": "2026-09-01T00:00:00Z", "priceDimensions": {
        f"{sku}.SP": {"unit": "Hrs", "endRange": "Inf", "pricePerUnit": {"USD": "0.4200000000"}}
    }}  # fmt: skip
    return {
        "product": {
            "productFamily": "ML Instance",
            "attributes": {**about, "component": component, "usagetype": usage, "operation": "RunInstance"},
            "sku": sku,
        },
        "serviceCode": SERVICE_CODE,
        "terms": {
            "OnDemand": {
                f"{sku}.JRTCKXETXF": {
                    "sku": sku,
                    "offerTermCode": "JRTCKXETXF",
                    "effectiveDate": price.effective,
                    "termAttributes": {},
                    "priceDimensions": dimensions,
                }
            },
            "SavingsPlan": {f"{sku}.PLAN": plan},
        },
        "version": "20260801000000",
        "publicationDate": price.effective,
    }


def _token_product(about: dict[str, str], usage: str, amount: str, effective: str) -> dict[str, Any]:
    sku = hashlib.sha256(f"{usage}{about['feature']}".encode()).hexdigest()[:16].upper()
    term = f"{sku}.JRTCKXETXF"
    price = {
        "unit": "1K tokens",
        "beginRange": "0",
        "endRange": "Inf",
        "appliesTo": [],
        "pricePerUnit": {"USD": amount},
    }
    return {
        "product": {"productFamily": "Amazon Bedrock", "attributes": {**about, "usagetype": usage}, "sku": sku},
        "serviceCode": BEDROCK,
        "terms": {"OnDemand": {term: {
            "sku": sku, "offerTermCode": "JRTCKXETXF", "effectiveDate": effective, "termAttributes": {},
            "priceDimensions": {f"{term}.6YS6EN2CT7": {"rateCode": f"{term}.6YS6EN2CT7", **price}},
        }}},
        "version": "20260801000000",
        "publicationDate": effective,
    }  # fmt: skip


def _token(request: dict[str, Any], start: int) -> str:
    question = {name: value for name, value in request.items() if name != "NextToken"}
    digest = hashlib.sha256(f"{start}{json.dumps(question, sort_keys=True)}".encode()).hexdigest()
    return f"{start}:{digest[:16]}"


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def _json(answer: dict[str, Any]) -> Response:
    return Response(
        json.dumps(answer), content_type="application/x-amz-json-1.1", headers={"x-amzn-RequestId": request_id()}
    )
