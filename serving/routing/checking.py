"""Whether a router can be what somebody wrote, and the compiled rules if so."""

from collections.abc import Collection

from lorakit.route.bounded import compile_bounded
from lorakit.route.rules import BadRules
from rest.errors import PortalError
from serving.routing.classifiers import classifiers
from serving.routing.document import RouterDocument
from serving.routing.queries import models_to_choose

MOST_TARGETS = 50
MOST_EXAMPLES = 100
LONGEST_EXAMPLE = 2_000
LONGEST_DESCRIPTION = 300
FEWEST_TARGETS = 2


class WrongRouter(PortalError):
    """What was written can't be a router. `field` names the part, as in `rules.3` (from 0)."""

    code = "router:invalid"


def compiled(document: RouterDocument) -> bytes:
    """Check everything and compile the rules, which takes a child process: call it outside a transaction.

    Raises WrongRouter: router:invalid, router:bad_rule, router:unknown_model or router:bad_classifier.
    """
    known = models_to_choose()
    _check_rules(document, known)
    if document.default and document.default not in known:
        raise _unknown(document.default, field="default")
    _check_classifier(document, known)
    try:
        return compile_bounded([rule.rule() for rule in document.rules])
    except BadRules as error:
        field = "rules" if error.rule is None else f"rules.{error.rule}"
        raise WrongRouter(str(error), code="router:bad_rule", field=field) from None


def _check_rules(document: RouterDocument, known: Collection[str]) -> None:
    seen: dict[str, int] = {}
    for index, rule in enumerate(document.rules):
        if rule.target not in known:
            raise _unknown(rule.target, field=f"rules.{index}", where=f"Rule {index + 1}: ")
        for text in rule.texts:
            key = f"{rule.kind} {text.casefold() if rule.kind == 'keyword' else text}"
            first = seen.setdefault(key, index)
            if first != index:
                # The first rule wins, so this one would never be used.
                raise WrongRouter(
                    f"Rule {index + 1}: The {rule.kind} “{text[:60]}” is in rule {first + 1} already. Remove one.",
                    code="router:bad_rule",
                    field=f"rules.{index}",
                )


def _check_classifier(document: RouterDocument, known: Collection[str]) -> None:
    if not 0 <= document.floor <= 1:
        raise WrongRouter("The lowest confidence is from 0 to 1.", field="floor")
    names = [target.name for target in document.targets]
    if len(names) > MOST_TARGETS:
        raise WrongRouter(f"A classifier chooses from at most {MOST_TARGETS} models.", field="targets")
    for index, target in enumerate(document.targets):
        if target.name not in known:
            raise _unknown(target.name, field=f"targets.{index}")
        if target.name in names[:index]:
            raise WrongRouter(f"“{target.name}” is listed twice.", field=f"targets.{index}")
        if len(target.description) > LONGEST_DESCRIPTION:
            raise WrongRouter(f"A description has at most {LONGEST_DESCRIPTION} characters.", field=f"targets.{index}")
        if len(target.examples) > MOST_EXAMPLES or any(len(text) > LONGEST_EXAMPLE for text in target.examples):
            text = f"A model has at most {MOST_EXAMPLES} examples of at most {LONGEST_EXAMPLE:,} characters."
            raise WrongRouter(text, field=f"targets.{index}")
        if any("\0" in text for text in (target.description, *target.examples)):
            raise WrongRouter("A text contains an invalid character.", field=f"targets.{index}")
    if document.classifier:
        if document.classifier not in classifiers:
            raise WrongRouter("Choose a classifier of the list.", code="router:bad_classifier", field="classifier")
        if len(names) < FEWEST_TARGETS:
            text = "List at least two models that the classifier chooses from."
            raise WrongRouter(text, code="router:bad_classifier", field="targets")
        if reason := classifiers[document.classifier].refusal(document):
            raise WrongRouter(reason, code="router:bad_classifier", field="classifier")


def _unknown(name: str, *, field: str, where: str = "") -> WrongRouter:
    shown = f"“{name[:80]}” is no live adapter or base model of yours." if name else "Choose a model."
    return WrongRouter(f"{where}{shown}", code="router:unknown_model", field=field)
