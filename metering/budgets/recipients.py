"""Members who are told of a budget, by their e-mail addresses: what REST calls them."""

from collections.abc import Collection, Iterable, Mapping

from metering.budgets.errors import WrongBudget
from metering.models import Budget
from tenants.models import Membership
from tenants.permissions import Action


def addresses_of(budgets: Iterable[Budget]) -> Mapping[int, str]:
    """The addresses of all that are chosen on some budgets, by ID. Without those who would not be told any more."""
    chosen = {person for budget in budgets for person in budget.recipients}
    members = Membership.objects.filter(user__in=chosen, user__is_active=True).select_related("user")
    return {member.user_id: member.user.email for member in members if member.may(Action.USAGE_VIEW)}


def members_at(addresses: Collection[str]) -> list[int]:
    """The IDs of the active tenant's members with these addresses, whatever their case. Raises WrongBudget."""
    wanted = {address.strip().casefold() for address in addresses}
    members = Membership.objects.filter(user__is_active=True).select_related("user")
    found = {one.user.email.casefold(): one.user_id for one in members if one.may(Action.USAGE_VIEW)}
    # Who is no member is not told from who has no account.
    if not wanted <= found.keys():
        raise WrongBudget("Name members who may see usage, by their e-mail addresses.", field="recipients")
    return sorted(found[address] for address in wanted)
