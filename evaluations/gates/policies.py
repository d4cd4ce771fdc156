"""An adapter's policy: the newest of its own, or the default."""

from typing import Any

import yaml

from adapters.models import Adapter
from evaluations.models import GatePolicy
from lorakit.gates.fields import WrongPolicy
from lorakit.gates.policy import DEFAULT, Policy, parsed
from rest.errors import PortalError
from rest.yaml_documents import WrongYAML, read_yaml

MAX_BYTES = 32 * 1024


class PolicyRefused(PortalError):
    """The document is no policy; the text says where and why."""

    code = "policy:wrong_document"

    def __init__(self, text: str) -> None:
        super().__init__(text, field="document")


def newest_policy(adapter: Adapter) -> GatePolicy | None:
    """The adapter's own policy, None if it has the default."""
    return GatePolicy.objects.filter(adapter=adapter).first()


def policy_of(adapter: Adapter) -> Policy:
    """What the adapter's versions need now."""
    own = newest_policy(adapter)
    return parsed(own.document) if own else DEFAULT


NEED_PEOPLE = ("experts", "judge", "severe_losses", "agreement", "licence", "approvals")


def needs_people(policy: Policy) -> bool:
    """Whether a condition waits for experts or for approvals, so that people open its decisions."""
    return any(policy.asks(kind) for kind in NEED_PEOPLE)


def read_policy(document: Any) -> Policy:
    """The policy in an object of JSON. Raises PolicyRefused."""
    try:
        return parsed(document)
    except WrongPolicy as error:
        raise PolicyRefused(str(error)) from None


def from_yaml(text: str) -> Policy:
    """The policy in a YAML text. Raises PolicyRefused."""
    try:
        document = read_yaml(text, what="The policy", max_bytes=MAX_BYTES)
    except WrongYAML as error:
        raise PolicyRefused(str(error)) from None
    return read_policy(document)


def to_yaml(policy: Policy) -> str:
    """As people edit it: a condition a line."""
    lines = ["conditions:"]
    for condition in policy.to_dict()["conditions"]:
        flow = yaml.safe_dump(condition, default_flow_style=True, sort_keys=False, allow_unicode=True, width=1_000)
        lines.append(f"  - {flow.strip()}")
    return "\n".join([*lines, f"may_override: {'true' if policy.may_override else 'false'}", ""])
