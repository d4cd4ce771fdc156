"""Checks the signatures (version 4) of requests that no AWS client signs for us.

The stand-in's secret access keys equal their IDs, so that anybody may have one.
"""

import datetime as dt
import re
from urllib.parse import urlsplit

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.wrappers import Request

from standin.errors import AwsError

FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
NEEDED = {"host", "x-amz-date"}
LATE = dt.timedelta(minutes=5)


def check_signature(http: Request, *, service: str, region: str) -> None:
    """Raises AWS's error for a request whose signature is missing, late, for something else, or wrong."""
    found = FORM.fullmatch(http.headers.get("Authorization", ""))
    if found is None:
        raise AwsError("MissingAuthenticationTokenException", "Request is missing Authentication Token", 403)
    signed = set(found["headers"].split(";"))
    if (found["service"], found["region"]) != (service, region) or not signed >= NEEDED:
        raise _wrong("Credential should be scoped to correct service and region, and sign host and x-amz-date.")
    timestamp = http.headers.get("X-Amz-Date", "")
    try:
        at = dt.datetime.strptime(timestamp, SIGV4_TIMESTAMP).replace(tzinfo=dt.UTC)
    except ValueError:
        raise _wrong("Invalid X-Amz-Date.") from None
    if abs(dt.datetime.now(dt.UTC) - at) > LATE:
        raise _wrong("Signature expired.")
    headers = {name: value for name, value in http.headers.items() if name.lower() in signed}
    url = f"{http.scheme}://{http.host}{urlsplit(http.url).path}"
    request = AWSRequest(http.method, url, data=http.get_data(), headers=headers)
    request.context["timestamp"] = timestamp
    auth = SigV4Auth(Credentials(found["key"], found["key"]), service, region)
    right = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    if right != found["signature"]:
        raise AwsError("InvalidSignatureException", "The request signature we calculated does not match.", 403)


def _wrong(message: str) -> AwsError:
    return AwsError("InvalidSignatureException", message, 403)
