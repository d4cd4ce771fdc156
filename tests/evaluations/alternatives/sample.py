"""Questions with labels for answers, in which the words of a label tell it from the others."""

from typing import Any

WORDS = {
    "card_lost": (
        "my card is lost",
        "I lost my card today",
        "my card got lost on the train",
        "my lost card has to be blocked",
    ),
    "card_declined": (
        "the shop declined my card",
        "payment by card was declined",
        "why was my card declined",
        "declined again at the till",
    ),
    "refund": (
        "I want a refund",
        "refund for my order please",
        "when is my refund due",
        "my refund has not arrived yet",
    ),
}


def conversation(question: str, answer: str, *, number: int) -> dict[str, Any]:
    """A row as a dataset has it."""
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"id": f"{number:032x}", "messages": messages}


def labelled(places: tuple[int, ...], *, first: int) -> list[dict[str, Any]]:
    """The questions at these places of each label, numbered from `first`."""
    pairs = [(words[place], label) for label, words in WORDS.items() for place in places]
    return [conversation(*pair, number=first + number) for number, pair in enumerate(pairs)]


def training() -> list[dict[str, Any]]:
    return labelled((0, 1, 2), first=100)


def held_out() -> list[dict[str, Any]]:
    return labelled((3,), first=1)
