"""Who may do what: one table, role by action, that pages, REST and templates read."""

from collections.abc import Mapping

from django.db.models import TextChoices


class Action(TextChoices):
    """What a member or an API key asks to do."""

    OVERVIEW_VIEW = "overview.view"
    DATASETS_VIEW = "datasets.view"
    DATASETS_EDIT = "datasets.edit"
    ADAPTERS_VIEW = "adapters.view"
    ADAPTERS_TRAIN = "adapters.train"
    JOBS_VIEW = "jobs.view"
    JOBS_STOP = "jobs.stop"
    EVALUATIONS_VIEW = "evaluations.view"
    EVALUATIONS_START = "evaluations.start"
    JUDGES_MANAGE = "judges.manage"
    RUBRICS_EDIT = "rubrics.edit"
    REVIEWS_GRADE = "reviews.grade"
    GATES_MANAGE = "gates.manage"
    DECISIONS_APPROVE = "decisions.approve"
    REVIEWS_MANAGE = "reviews.manage"
    ENDPOINT_VIEW = "endpoint.view"
    VERSIONS_PROMOTE = "versions.promote"
    ROUTERS_EDIT = "routers.edit"
    PLAYGROUND_USE = "playground.use"
    USAGE_VIEW = "usage.view"
    BUDGETS_MANAGE = "budgets.manage"
    KEYS_MANAGE = "keys.manage"
    WEBHOOKS_MANAGE = "webhooks.manage"
    MEMBERS_MANAGE = "members.manage"


class Role(TextChoices):
    """What a member is in a tenant."""

    OWNER = "owner", "Owner"
    MEMBER = "member", "Member"
    REVIEWER = "reviewer", "Reviewer"


API_KEY = "api_key"

_ALL = frozenset(Action)
_OWNERS = frozenset({Action.MEMBERS_MANAGE, Action.GATES_MANAGE, Action.BUDGETS_MANAGE})
_PEOPLE = frozenset({Action.KEYS_MANAGE, Action.MEMBERS_MANAGE})

PERMISSIONS: Mapping[str, frozenset[Action]] = {
    Role.OWNER: _ALL,
    Role.MEMBER: _ALL - _OWNERS,
    Role.REVIEWER: frozenset({Action.REVIEWS_GRADE}),
    API_KEY: _ALL - _PEOPLE,
}


def may(holder: str, action: Action) -> bool:
    """Whether a role, or an API key (`API_KEY`), may do it."""
    return action in PERMISSIONS[holder]
