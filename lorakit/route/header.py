"""Why a request went where it did, for the caller."""

from lorakit.route.router import Decision


def route_header(router: str, revision: int, decision: Decision) -> str:
    """A structured field (RFC 9651), such as `support;by=rule;rule=2;revision=7`. Rules count from 1."""
    # A name that begins with a digit is no token.
    name = router if router[0].isalpha() else f'"{router}"'
    parts = [name, f"by={decision.by}"]
    if decision.rule is not None:
        parts.append(f"rule={decision.rule + 1}")
    if decision.confidence is not None:
        parts.append(f"confidence={decision.confidence:.3f}")
    return ";".join([*parts, f"revision={revision}"])
