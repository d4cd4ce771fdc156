"""The hash of import options stays what it was, or a file that was uploaded earlier is not recognised."""

from dataclasses import fields, replace

from corpora.ingest.contracts import Options
from corpora.versions.services import DIGESTED_ALWAYS, options_digest


def test_options_of_earlier_releases_keep_their_digest() -> None:
    assert options_digest(Options()) == "2817e4e8a0991d7a6f85768be05b78a4"
    mapped = Options(columns={"prompt": "q", "completion": "a"}, bad_rows="leave_out", seed=7)
    assert options_digest(mapped) == "dc205209158c335db594c82da458db5c"


def test_a_later_option_counts_only_where_it_is_set() -> None:
    later = {field.name for field in fields(Options)} - DIGESTED_ALWAYS
    assert later == {"metadata"}
    kept = replace(Options(), metadata=("topic",))
    assert len({options_digest(one) for one in (Options(), kept, replace(Options(), metadata=()))}) == 3
