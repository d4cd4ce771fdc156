"""The training text of the tiny base: plain sentences and generic instructions about them.

The instructions teach the skills that adapters build on: copy a text, extract named parts of it, write them
in a given form. None of them has the format of a demo tenant.
"""

import hashlib
import json
import string
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

from lorakit.tiny import world

ASKED_AS = {
    "company": ["company", "first company"],
    "other": ["second company"],
    "person": ["person"],
    "amount": ["amount"],
    "date": ["date"],
    "place": ["place"],
    "order": ["order number"],
    "days": ["number of days"],
    "percent": ["percentage"],
    "product": ["product"],
    "years": ["number of years"],
}
"""Slot name -> the names a question uses for it."""

FIELDS = {"legal": 4, "support": 3, "clinic": 2, "staff": 2, "finance": 2}
"""Field of work -> the relative frequency of its sentences."""

SYSTEM_TEXTS = ["You are a helpful assistant.", "Answer in few words.", "Follow the instruction exactly."]
ASCII = string.punctuation * 3 + string.ascii_letters + string.digits
BEYOND_ASCII = "éèüöäñçßøåíóú€£°–’“”…"


@dataclass(frozen=True)
class Sentence:
    """A filled template and its values."""

    field: str
    text: str
    values: world.Slots


@dataclass(frozen=True)
class Document:
    """One training text; `answer` is None for plain text without an instruction."""

    prompt: str
    answer: str | None = None
    system: str | None = None
    task: str = "text"


def draw_sentence(rng: Random, company: world.NameMaker) -> Sentence:
    """One sentence of a random field of work."""
    field = rng.choices(list(FIELDS), list(FIELDS.values()))[0]
    slots = world.draw_slots(rng, company)
    if field == "legal":
        template = rng.choice(world.LEGAL[rng.choice(list(world.LEGAL))])
    elif field == "support":
        template = rng.choice(world.SUPPORT[rng.choice(list(world.SUPPORT))])
        if rng.random() < 0.6:
            template += " " + rng.choice(world.TONES[rng.choice(list(world.TONES))])
    elif field == "clinic":
        template = rng.choice(world.CLINIC[rng.choice(list(world.CLINIC))])
    else:
        template = rng.choice(world.STAFF if field == "staff" else world.MARKET)
    used = {name: value for name, value in slots.items() if "{" + name + "}" in template}
    return Sentence(field, template.format(**slots), used)


def extract(rng: Random, sentence: Sentence) -> Document:
    """Ask for one to three values of a sentence, in one of six forms."""
    slots = rng.sample(list(sentence.values), rng.randint(1, min(3, len(sentence.values))))
    names = [rng.choice(ASKED_AS[slot]) for slot in slots]
    values = [sentence.values[slot] for slot in slots]
    pairs = list(zip(names, values, strict=True))
    text = sentence.text
    form = rng.randrange(6)
    if form == 0:
        return Document(f"{text}\nWhich {' and '.join(names)}?", ", ".join(values), task="extract")
    if form == 1:
        answer = "\n".join(f"{name}: {value}" for name, value in pairs)
        return Document(f"Find the {' and the '.join(names)}.\n{text}", answer, task="extract")
    if form == 2:
        answer = "; ".join(f"{name} = {value}" for name, value in pairs)
        return Document(f"{text}\nFill in: {', '.join(names)}", answer, task="extract")
    if form == 3:
        return Document(f"{text}\nGive {', '.join(names)} as JSON.", json.dumps(dict(pairs)), task="extract")
    if form == 4:
        answer = " ".join(f"{name.replace(' ', '_')}={value}" for name, value in pairs)
        return Document(f"{text}\nKeys: {', '.join(names)}", answer, task="extract")
    mark = rng.choice([" | ", "|", " / ", " - ", "; ", " -> ", "\t"])
    question = f"{text}\nJoin {' and '.join(names)} with {mark.strip() or 'tab'}"
    return Document(question, mark.join(values), task="extract")


def repeat_characters(rng: Random) -> Document:
    """Copy one to four random strings.

    Bytes that never occur in training share one direction in the output layer, and no adapter can distinguish them
    later. So every printable ASCII character must occur here.
    """

    def scramble() -> str:
        size = rng.randint(1, 9)
        return "".join(rng.choice(ASCII if rng.random() < 0.93 else BEYOND_ASCII) for _ in range(size))

    text = " ".join(scramble() for _ in range(rng.randint(1, 4)))
    return Document(f"Repeat the text.\n{text}", text, task="copy")


def pick_from_list(rng: Random, company: world.NameMaker) -> Document:
    """Name the n-th entry of a list."""
    makers = [world.order_number, company, world.person_name]
    entries = [rng.choices(makers, [30, 35, 35])[0](rng) for _ in range(rng.randint(2, 5))]
    index = rng.randrange(len(entries))
    return Document(f"List: {'; '.join(entries)}\nWhich is number {index + 1}?", entries[index], task="pick")


def draw_instruction(rng: Random, company: world.NameMaker) -> Document:
    """A random instruction with its answer."""
    sentence = draw_sentence(rng, company)
    kind = rng.random()
    if kind < 0.50 and sentence.values:
        return extract(rng, sentence)
    if kind < 0.72:
        order = rng.choice(["Repeat the text.", "Copy this text.", "Say it again."])
        return Document(f"{order}\n{sentence.text}", sentence.text, task="copy")
    if kind < 0.77:
        return repeat_characters(rng)
    if kind < 0.86:
        return pick_from_list(rng, company)
    if kind < 0.93:
        return Document(f"{sentence.text}\nWhat is this text about?", f"It is about {sentence.field}.", task="topic")
    order = rng.choice(["Write a short text.", f"Write something about {sentence.field}."])
    return Document(order, sentence.text, task="write")


def documents(seed: int, company: world.NameMaker = world.company_name) -> Iterator[Document]:
    """The endless stream of training texts for a seed."""
    rng = Random(seed)
    while True:
        if rng.random() < 0.85:
            document = draw_instruction(rng, company)
            if rng.random() < 0.08:
                system = rng.choice(SYSTEM_TEXTS)
                document = Document(document.prompt, document.answer, system, document.task)
            yield document
        else:
            yield Document(" ".join(draw_sentence(rng, company).text for _ in range(rng.randint(1, 3))))


def messages(document: Document) -> list[dict[str, str]]:
    """The chat messages of an instruction, without its answer."""
    turns = [{"role": "system", "content": document.system}] if document.system else []
    return [*turns, {"role": "user", "content": document.prompt}]


def checksum(seed: int, count: int) -> str:
    """SHA-256 of the first `count` documents of a seed, the same on every machine."""
    digest = hashlib.sha256()
    for document in islice(documents(seed), count):
        line = json.dumps([document.system, document.prompt, document.answer], ensure_ascii=False)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()
