"""Where prompts would go. A judge is asked for each, so this runs outside a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from lorakit.route.router import Decision
from rest.errors import PortalError
from serving.routing.live import LiveRouter

MOST_PROMPTS = 50
LONGEST_PROMPT = 16_000


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A prompt and the router's decision. `rule_id` is empty where no rule decided."""

    prompt: str
    decision: Decision
    rule_id: str

    @property
    def rule_number(self) -> int | None:
        """From 1."""
        return None if self.decision.rule is None else self.decision.rule + 1


def try_prompts(router: LiveRouter, prompts: Sequence[str]) -> list[Tried]:
    """Each as the only message of a conversation. Raises PortalError router:bad_prompts."""
    if not 1 <= len(prompts) <= MOST_PROMPTS or any(len(prompt) > LONGEST_PROMPT for prompt in prompts):
        text = f"Enter 1 to {MOST_PROMPTS} prompts of at most {LONGEST_PROMPT:,} characters."
        raise PortalError(text, code="router:bad_prompts", field="prompts")
    decisions = [(prompt, router.decide([prompt])) for prompt in prompts]
    return [Tried(prompt=prompt, decision=one, rule_id=router.rule_id(one)) for prompt, one in decisions]
