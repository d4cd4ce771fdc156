"""ROUGE gives the published values, and those of the library that defines it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from evaluations.metrics.base import Answers, RowMetric
from evaluations.metrics.rouge import Rouge1, Rouge2, RougeL, RougeLsum

METRICS: list[RowMetric] = [kind("x", {}) for kind in (Rouge1, Rouge2, RougeL, RougeLsum)]
FOX = "The quick brown fox jumps over the lazy dog"
DOG = "The quick brown dog jumps on the log."
# google-research rouge/testdata, the second pair, stemmed: what ROUGE-1.5.5 gives (Apache-2.0).
TARGET = (
    "KsJdPByEtAor fE-Qg Dpdbring cw-WeFyu vC MoBL Xdn g wkvcEiGvKtion BDFhrpMtion psing sbKao Q m qiing LMmer "
    "HqqLFXe,XPY,J XsurkMer ,ed nB'wH'bWVHjWFEing tQ.saefZwJtKrTlixYpMMsJing UCAPwNHeYVjDing c T BUySKtion "
    "gMPfJpwGw p'NvxAoping eu pBwMBKV'I DNxqelhu,PHPxDEq,mtion SN"
)
PREDICTION = (
    "nn cw-WeFyu vC MoBL Xdn g wkvcEiGvKtion BDFhrpMer pstion sbKao Q m qier LMmed HqqLFXe,XPY,J XsurkMeo "
    ",ed nB'wH'bWVHjWFEer tQ.saefZwJtKrTlixYpMMNJtion UCAPwNHeYVjD"
)


@pytest.mark.parametrize(("metric", "f"), [*zip(METRICS, (0.705882, 0.266667, 0.588235, 0.588235), strict=True)])
def test_stemmed_f_measures_of_the_librarys_example(metric: RowMetric, f: float) -> None:
    assert metric.score(FOX, DOG) == pytest.approx(f, abs=1e-6)


@pytest.mark.parametrize(("metric", "f"), [*zip(METRICS, (0.52941, 0.36364, 0.52941), strict=False)])
def test_published_values_of_rouge_155(metric: RowMetric, f: float) -> None:
    assert metric.score(TARGET, PREDICTION) == pytest.approx(f, abs=1e-5)


words = st.lists(st.sampled_from(["a", "b", "the", "running", "runs", "ran", "12", "3", "-", "\n", "é", "İ", "合同"]))


@given(st.lists(st.tuples(words.map(" ".join), words.map(" ".join)), min_size=1))
@settings(deadline=None)
def test_the_library_gives_the_same(rows: list[tuple[str, str]]) -> None:
    answers = Answers([first for first, _ in rows], [second for _, second in rows])
    scorer = RougeScorer([metric.name for metric in METRICS], use_stemmer=True)
    theirs = [scorer.score(*row) for row in rows]
    for metric in METRICS:
        for ours, their in zip(metric.scores(answers), theirs, strict=True):
            assert (ours or 0.0) == their[metric.name].fmeasure


def test_rouge_is_silent_where_it_sees_no_words() -> None:
    answers = Answers(["合同于三十天后终止"], ["合同于三十天后终止"])
    for metric in METRICS:
        assert metric.scores(answers) == [None]
        assert "letters a to z" in metric.unavailable(answers)
