"""What evaluations ask the price book: what a million tokens of a model on Bedrock cost now, in US dollars."""

from django.utils import timezone

from evaluations.judges.backends.usage import Price
from metering.models import Service
from metering.prices.finder import CURRENCY
from metering.prices.items import Item
from metering.prices.queries import book_of
from metering.prices.texts import LONGEST_SOURCE, source_text


def token_price(model: str, region: str) -> Price | None:
    """The `Finder` of judges. None unless both input and output have a price."""
    incoming, outgoing = (
        Item(service=service, item=model, region=region) for service in (Service.JUDGE_INPUT, Service.JUDGE_OUTPUT)
    )
    book, now = book_of([incoming, outgoing], currency=CURRENCY), timezone.now()
    read, written = book.at(incoming, now), book.at(outgoing, now)
    if read is None or written is None:
        return None
    sources = dict.fromkeys((source_text(read), source_text(written)))
    return Price(read.amount, written.amount, source="; ".join(sources)[:LONGEST_SOURCE])
