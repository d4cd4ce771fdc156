"""The prompts of a run as token ids, in a scratch file, so that memory does not grow with their length."""

from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from transformers import PreTrainedTokenizerFast

from lorakit.chat import Chat
from lorakit.contracts import GenerateSpec
from lorakit.errors import RunError
from lorakit.generate.examples import with_examples
from lorakit.generate.rows import read_prompts
from lorakit.rows import ChatRow
from lorakit.rundir import Run

BLOCK = 256
"""Rows tokenised together, and sorted by length together."""

T = TypeVar("T")


class Prompts:
    """Prompts by number, from 0: the id of each, the targets that are to answer it, its examples and its token ids."""

    def __init__(self, path: Path) -> None:
        self.ids: list[str] = []
        self.targets: list[tuple[str, ...]] = []
        self.examples: dict[str, int] = {}
        self._ends = array("q", [0])
        self._file = path.open("w+b")

    def __len__(self) -> int:
        return len(self.ids)

    def append(self, row_id: str, targets: tuple[str, ...], tokens: list[int], examples: int = 0) -> None:
        """Add a prompt."""
        if examples:
            self.examples[row_id] = examples
        self.ids.append(row_id)
        self.targets.append(targets)
        self._ends.append(self._ends[-1] + len(tokens))
        array("i", tokens).tofile(self._file)

    def length(self, number: int) -> int:
        """The number of tokens of a prompt."""
        return self._ends[number + 1] - self._ends[number]

    def tokens(self, number: int) -> list[int]:
        """The token ids of a prompt."""
        tokens = array("i")
        self._file.seek(self._ends[number] * tokens.itemsize)
        tokens.fromfile(self._file, self.length(number))
        return tokens.tolist()

    def by_length(self) -> Iterator[int]:
        """All numbers, in order but for the prompts of a block, which are sorted by length to be padded little.

        Only blocks are sorted, so that what is still to come is like what is done, and the time left can be told.
        """
        for block in blocks(range(len(self)), BLOCK):
            yield from sorted(block, key=self.length, reverse=True)

    def close(self) -> None:
        """Close the scratch file."""
        self._file.close()


def load_prompts(run: Run[GenerateSpec], tokenizer: PreTrainedTokenizerFast, scratch: Path, *, context: int) -> Prompts:
    """Tokenise the run's prompts into a scratch file. Raises RunError for a row that cannot be used, or for none.

    `context` is the base's, in tokens, into which examples have to fit.
    """
    path = run.input("prompts", "rows.jsonl")
    prompts = Prompts(scratch)
    for block in blocks(read_prompts(path, run.spec.targets) if path.is_file() else (), BLOCK):
        run.check_cancelled()
        plain = iter(encode_prompts(tokenizer, [asked.row for asked in block if not asked.examples]))
        for asked in block:
            if asked.examples:
                room = context - run.spec.max_new_tokens
                tokens, examples = with_examples(tokenizer, asked.row, asked.examples, room=room)
                prompts.append(asked.row.id, asked.targets, tokens, examples)
            else:
                prompts.append(asked.row.id, asked.targets, next(plain))
    if not prompts:
        raise RunError("generation:no_rows", "There are no prompts. Choose a dataset that has a test split.")
    return prompts


def encode_prompts(tokenizer: PreTrainedTokenizerFast, rows: list[ChatRow]) -> list[list[int]]:
    """Token ids of each row without its reference answer."""
    chat = Chat(tokenizer, area="generation")
    for row in rows:
        chat.check(row)
    texts = [chat.render(row.messages[:-1], row.tools, prompt=True) for row in rows]
    if not texts:
        return []
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids


def blocks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while block := list(islice(rest, size)):
        yield block
