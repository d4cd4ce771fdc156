"""Statistics of a sample of the rows: languages, tokens, answers and near duplicates."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import msgspec

from corpora.ingest.assembly.answers import Answers
from corpora.ingest.assembly.near_leaks import question
from corpora.ingest.assembly.profile import Tally, length_profile
from corpora.ingest.contracts import Context, Finding, LengthProfile, Profile, Row
from corpora.ingest.texts.language import language_of
from corpora.ingest.texts.near import near_pairs
from corpora.ingest.texts.tokens import TokenCounter

MEASURED_ROWS = 2_000
"""Number of rows whose language, tokens and answers are measured. Shares are within 2 points, 19 times out of 20."""


@dataclass
class CloserLook:
    """Takes the sampled rows and describes them. `tests` of them are held out."""

    context: Context | None
    findings: list[Finding] = field(default_factory=list)
    tests: int = 0
    _rows: int = 0
    _languages: Tally = field(default_factory=Tally)
    _answers: Answers = field(default_factory=Answers)
    _tokens: LengthProfile | None = None

    def take(self, rows: Iterator[tuple[Row, bool, int]]) -> None:
        """Take `rows` of (row, whether it is held out, line), in random order."""
        counter = TokenCounter(self.context) if self.context else None
        tokens: list[int] = []
        places: list[tuple[bool, int]] = []

        def prompts() -> Iterator[str]:
            for row, is_test, line in rows:
                if len(places) < MEASURED_ROWS:
                    said = "\n".join(turn.content for turn in row.messages if turn.role != "system")
                    self._languages.add(language_of(said), "test" if is_test else "train")
                    self._answers.add(row.messages[-1].content)
                    if counter:
                        tokens.append(counter.count(row.messages, msgspec.json.encode(row.tools) if row.tools else b""))
                places.append((is_test, line))
                yield question(row)

        # Test rows come last and are first compared with the training rows, so that each near leak is one test row.
        for pair in near_pairs(prompts(), comes_last=lambda number: places[number][0]):
            (first_test, first_line), (is_test, line) = places[pair.earlier], places[pair.later]
            if first_test == is_test:
                text = f"The prompt is almost the same as in row {min(first_line, line):,}."
                found = Finding(max(first_line, line), "", "dataset:near_duplicate", text, kept=True)
            else:
                text = f"The prompt is almost the same as in row {first_line:,}, which is in the other split."
                found = Finding(line, "", "dataset:near_leak", text, kept=True)
            self.findings.append(found)
        self.findings.sort(key=lambda finding: finding.line)
        self._rows = len(places)
        self.tests = sum(is_test for is_test, _ in places)
        self._tokens = length_profile(tokens)

    def describe(self, profile: Profile) -> Profile:
        """The profile, completed by the sample's statistics."""
        return replace(
            profile,
            sampled=self._rows,
            languages=self._languages.summary(),
            tokens=self._tokens,
            answers=self._answers.summary(),
            context=self.context.name if self.context else "",
            context_tokens=self.context.tokens if self.context else 0,
        )
