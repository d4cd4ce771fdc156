"""Finds audit events that were changed, removed, moved or added by other means than `record_event`."""

from dataclasses import dataclass

from tenants.audit.chain import FIRST, is_intact
from tenants.models import AuditEvent, AuditHead, Tenant
from tenants.scope import tenant_scope


@dataclass(frozen=True)
class Trail:
    """A tenant's trail: the number of events, the last one's hash, and what is wrong with it."""

    sequence: int
    hash: str
    problems: tuple[str, ...]


def verify_trail(tenant: Tenant, noted: int = 0, noted_hash: str = FIRST) -> Trail:
    """Read the whole trail of a tenant, in order. Event number `noted` must still have the hash `noted_hash`."""
    problems: list[str] = []
    kept = noted == 0
    sequence, previous = 0, FIRST
    with tenant_scope(tenant.id):
        head = AuditHead.objects.first()
        for event in AuditEvent.objects.order_by("sequence").iterator(chunk_size=1000):
            named = f"event {event.sequence} ({event.action}, row {event.id})"
            missing = event.sequence - sequence - 1
            if missing:
                problems.append(f"{_numbered(sequence + 1, missing)} missing")
            if not is_intact(event):
                problems.append(f"{named} was changed")
            elif event.previous_hash != previous and not missing:
                problems.append(f"{named} does not follow the one before it")
            kept = kept or (event.sequence, event.hash) == (noted, noted_hash)
            sequence, previous = event.sequence, event.hash
    expected = head.sequence if head else 0
    if expected > sequence:
        problems.append(f"{_numbered(sequence + 1, expected - sequence)} missing at the end")
    elif expected < sequence or (head is not None and head.hash != previous):
        problems.append("the record of the last event does not match it")
    if not kept:
        problems.append(f"event {noted} is not the one noted earlier")
    return Trail(sequence, previous, tuple(problems))


def _numbered(first: int, count: int) -> str:
    return f"event {first} is" if count == 1 else f"events {first} to {first + count - 1} are"
