"""Tenants, people, API keys, the audit trail, webhooks, and the base class of every table of tenants' rows."""

from tenants.models.audit import AuditEvent, AuditHead
from tenants.models.keys import ApiKey, end_with_account
from tenants.models.people import Invitation, InvitationQuerySet, Membership, User, UserManager
from tenants.models.rows import Tenant, TenantManager, TenantModel, TenantRow
from tenants.models.webhooks import DeliveryState, Webhook, WebhookDelivery, WebhookEvent

__all__ = [
    "ApiKey",
    "AuditEvent",
    "AuditHead",
    "DeliveryState",
    "Invitation",
    "InvitationQuerySet",
    "Membership",
    "Tenant",
    "TenantManager",
    "TenantModel",
    "TenantRow",
    "User",
    "UserManager",
    "Webhook",
    "WebhookDelivery",
    "WebhookEvent",
    "end_with_account",
]
