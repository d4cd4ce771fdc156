"""The tiny base's tokenizer: byte-level BPE, digits split, and the chat template with assistant marks."""

from collections.abc import Iterator
from itertools import islice

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from lorakit.tiny import world
from lorakit.tiny.corpus import Document, documents

PAD, END, USER, ASSISTANT, SYSTEM = "<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ '<|assistant|>' }}{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% else %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
"""The end token is inside the generation block, so that training teaches the model to stop."""


def render(document: Document) -> str:
    """A document as training text; instructions follow the chat template."""
    if document.answer is None:
        return document.prompt + END
    system = f"{SYSTEM}{document.system}{END}" if document.system else ""
    return f"{system}{USER}{document.prompt}{END}{ASSISTANT}{document.answer}{END}"


def train_tokenizer(*, vocabulary: int, context: int, seed: int, count: int) -> PreTrainedTokenizerFast:
    """Learn the merges from `count` documents whose company names are random letters."""

    def texts() -> Iterator[str]:
        for document in islice(documents(seed, company=world.random_name), count):
            yield document.prompt
            if document.answer is not None:
                yield document.answer

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, END, USER, ASSISTANT, SYSTEM],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    wrapped = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        extra_special_tokens=[USER, ASSISTANT, SYSTEM],
        model_max_length=context,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
    wrapped.chat_template = CHAT_TEMPLATE
    return wrapped
