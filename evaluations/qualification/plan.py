"""The built-in questions as the judging asks them, and the judge under a name that makes each trial a new one."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from evaluations.judging.jurors import Juror, juror_of, shared_juror
from evaluations.judging.plan import Plan, Question, Row
from evaluations.models import CallPurpose, Qualification
from evaluations.qualification.cases import Case, Pair, everything
from evaluations.rubrics.document import RubricDocument

NO_RUBRIC = RubricDocument(name="", instructions="", criteria=())


@dataclass(frozen=True, kw_only=True)
class BuiltIn(Plan):
    """Each case and each pair is a row of its own, named by its key."""

    rubric: RubricDocument = NO_RUBRIC

    def questions(self, row: Row) -> Iterator[Question]:
        one = _by_key()[row.id]
        kinds = (one.kind,) if isinstance(one, Case) else ("right", one.worse)
        yield Question(criterion=one.set, models=kinds, prompt=one.prompt)


def rows(start: int = 0) -> Iterable[Row]:
    """All that is asked, from the row with this number on."""
    return (Row(id=one.key, messages=(), reference="", answers={}) for one in everything()[start:])


def judge_of(found: Qualification) -> Juror:
    """Who is tried. Raises Unauthorised, or KeyError if the site no longer offers the judge."""
    return juror_of(found.judge) if found.judge else shared_juror(found.alias)


def asked_anew(juror: Juror, found: Qualification) -> Juror:
    """The same judge without its earlier verdicts, since providers change models under the same name.

    A test that goes on after a restart finds its own verdicts.
    """
    content = f"{juror.fingerprint}:qualification:{found.id}"
    return replace(juror, fingerprint=hashlib.sha256(content.encode()).hexdigest(), purpose=CallPurpose.TESTING)


@cache
def _by_key() -> dict[str, Case | Pair]:
    return {one.key: one for one in everything()}
